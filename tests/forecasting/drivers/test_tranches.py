from forecasting.drivers.tranches import DRIVER
from tests.forecasting.drivers.settings import ahead, setting

PLAN = {
    "tranches": [
        {
            "date": "2025-09-01",
            "amount": "500000",
            "probability": 0.7,
            "delay": {"dist": "gamma", "mean_days": 18, "sd_days": 9},
            "milestone": "ARR",
        }
    ]
}


def test_a_tranche_comes_with_its_probability_and_its_delay():
    (tranche,) = DRIVER.contribute(setting(plan=PLAN)).tranches
    assert (tranche.day, tranche.amount, tranche.probability) == (ahead("2025-09-01"), 500000.0, 0.7)
    assert (tranche.delay_mean_days, tranche.delay_sd_days) == (18, 9)


def test_it_is_marked_on_the_day_it_is_to_be_expected():
    view = setting(plan=PLAN)
    (mark,) = DRIVER.marks(view)
    assert (mark.day, mark.label) == (ahead("2025-09-01") + 18, "Tranche: ARR")
    (event,) = DRIVER.next_events(view)
    assert (event.day, event.probability) == (mark.day, 0.7)


def test_one_beyond_the_horizon_is_no_mark():
    view = setting(plan=PLAN, days=30)
    assert DRIVER.marks(view) == ()
    assert len(DRIVER.contribute(view).tranches) == 1
