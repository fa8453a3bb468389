import pytest

from forecasting.drivers.payroll import DRIVER
from tests.forecasting.drivers.settings import on, setting
from tests.forecasting.journal import monthly

RUNS = monthly(start="2024-07-25", months=12, line="-10000 payroll Gusto")
TAXES = monthly(start="2024-07-28", months=12, line="-4000 payroll_tax IRS")


def test_a_run_costs_its_level_on_its_day():
    view = setting(RUNS, days=92)
    (factor,) = DRIVER.contribute(view).factors
    assert on(view, factor.daily) == {"2025-07-25": -10000, "2025-08-25": -10000, "2025-09-25": -10000}


def test_tax_leaves_days_after_its_run():
    view = setting(RUNS + TAXES, days=62)
    (factor,) = DRIVER.contribute(view).factors
    assert on(view, factor.daily) == {
        "2025-07-25": -10000,
        "2025-07-28": -4000,
        "2025-08-25": -10000,
        "2025-08-28": -4000,
    }


def test_on_the_free_basis_tax_is_gone_with_its_run():
    view = setting(RUNS + TAXES, days=62, basis="free")
    (factor,) = DRIVER.contribute(view).factors
    assert on(view, factor.daily) == {"2025-07-25": -14000, "2025-08-25": -14000}


def test_the_december_bonus_comes_again_and_brings_its_tax():
    runs = RUNS.replace("2024-12-25 -10000", "2024-12-25 -16000")
    view = setting(runs + TAXES, days=365)
    daily = on(view, DRIVER.contribute(view).factors[0].daily)
    assert daily["2025-12-25"] == -16000  # this payroll never cared for closed days
    assert daily["2025-12-29"] == pytest.approx(-6400)
    assert daily["2025-11-25"] == -10000


def test_a_planned_hire_adds_net_pay_and_tax_weighed_with_its_chance():
    hire = {"start": "2025-08-01", "monthly_gross": "10000", "currency": "USD", "confirmed": True}
    view = setting(RUNS + TAXES, days=62, plan={"planned_hires": [hire]})
    payroll, hires = DRIVER.contribute(view).factors
    assert payroll.name != hires.name
    net = 10000 * 0.72 * 0.98
    assert on(view, hires.daily) == {"2025-08-25": round(-net, 2), "2025-08-28": round(-net * 0.4, 2)}


def test_who_started_before_the_last_run_is_on_it_and_who_started_since_is_not():
    def hired(start: str) -> int:
        hire = {"start": start, "monthly_gross": "10000", "currency": "USD"}
        return len(DRIVER.contribute(setting(RUNS + TAXES, plan={"planned_hires": [hire]})).factors) - 1

    assert [hired(start) for start in ("2025-03-01", "2025-06-25", "2025-06-26")] == [0, 0, 1]


def test_a_hire_without_a_payroll_is_paid_at_the_months_end():
    hire = {"start": "2025-07-01", "monthly_gross": "10000", "currency": "USD"}
    view = setting(days=62, plan={"planned_hires": [hire]})
    (hires,) = DRIVER.contribute(view).factors
    assert on(view, hires.daily) == {"2025-07-31": -9936.0, "2025-08-29": -9936.0}  # 0.72 x 0.92 x 1.5


def test_runs_and_remittances_are_told_ahead():
    events = DRIVER.next_events(setting(RUNS + TAXES, days=31))
    assert [(event.day, event.kind, event.amount) for event in events] == [
        (25, "payroll", -10000),
        (28, "tax", pytest.approx(-4000)),
    ]


def test_each_tax_is_told_by_whom_it_is_paid_to():
    social = monthly(start="2024-07-26", months=12, line="-2000 sozialversicherung AOK")
    assert tax_labels(RUNS + TAXES + social) == {"Payroll tax to IRS", "Payroll tax to AOK"}
    by_state = TAXES.replace("2025-02-28 -4000 payroll_tax IRS", "2025-02-28 -4000 payroll_tax EDD")
    assert by_state != TAXES
    assert tax_labels(RUNS + by_state) == {"Payroll tax USD"}


def tax_labels(journal: str) -> set[str]:
    return {event.label for event in DRIVER.next_events(setting(journal, days=31)) if event.kind == "tax"}
