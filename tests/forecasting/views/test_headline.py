"""The answer leads with what the forecast really knows."""

from datetime import timedelta

from forecasting.views.headline import headline
from forecasting.views.projection import projection_of
from tests.forecasting.views.sample_forecast import AS_OF, stored_forecast


def answer(**changes):
    overrides = changes.pop("overrides", {})
    return headline(projection_of(stored_forecast(**changes) | overrides, today=AS_OF))


def said(found) -> str:
    return "".join(text for text, _ in found.sure)


def test_a_determined_forecast_leads_with_the_middle_and_its_interval():
    found = answer(tranche=False)
    assert found.eyebrow == "Free cash runs out in"
    assert found.big.endswith("days")
    assert found.beside.startswith("around ")
    assert said(found).startswith("90 % sure between ")
    assert found.term == "median"


def test_an_undetermined_one_leads_with_p5_and_the_odds_of_the_year():
    found = answer()
    assert found.eyebrow == "Free cash lasts at least"
    assert "to last the year" in said(found)
    assert "The middle of all futures is" in said(found)
    assert found.term == "cautious"


def test_an_undetermined_one_names_all_three_quantiles_with_their_dates():
    quantiles = {"p5_days": 78, "p50_days": 187, "p95_days": 205}
    dates = {
        f"{name}_date": (AS_OF + timedelta(days=quantiles[f"{name}_days"])).isoformat()
        for name in ("p5", "p50", "p95")
    }
    beyond = {"beyond_horizon": {"p5": False, "p50": False, "p95": False}}
    found = answer(overrides=quantiles | dates | beyond | {"determined": False})
    assert found.big == "78 days"
    assert "187 days (" in said(found)
    assert "one in twenty lasts past 205 days (" in said(found)


def test_a_p95_beyond_the_horizon_is_a_year():
    beyond = {"beyond_horizon": {"p5": False, "p50": False, "p95": True}, "p95_days": 365, "p95_date": None}
    assert said(answer(overrides=beyond | {"determined": False})).endswith("one in twenty lasts past a year")


def test_a_middle_beyond_the_horizon_is_never_given_in_days():
    beyond = {"p50_days": 365, "p50_date": None, "p95_days": 365, "p95_date": None}
    found = answer(overrides=beyond | {"beyond_horizon": {"p5": False, "p50": True, "p95": True}})
    assert "In half of all futures cash is never used up" in said(found)
    assert "365" not in said(found)


def test_a_profitable_company_does_not_run_out_within_the_horizon():
    found = answer(burn_per_day=-500.0, tranche=False)
    assert found.eyebrow == "Free cash does not run out"
    assert found.big == "within 365 days"
    assert "0 days" not in found.spoken
    assert "inf" not in found.spoken


def test_an_empty_account_says_so_instead_of_counting_days():
    found = answer(balance=-12_000.0, tranche=False)
    assert found.eyebrow == "Free cash has run out"
    assert found.big.startswith("\N{MINUS SIGN}$12")


def test_new_money_forks_the_answer():
    (line,) = answer().besides
    assert "if the tranche “pilot signed” comes" in line
    assert "if it does not" in line


def test_money_that_comes_too_late_makes_no_fork():
    forecast = stored_forecast()
    tranche = forecast["tranches"][0]
    assert answer(overrides={"tranches": [tranche | {"not_received": tranche["received"]}]}).besides == ()


def test_every_answer_can_be_said_in_one_sentence():
    for changes in ({}, {"tranche": False}, {"burn_per_day": -1.0}, {"balance": 0.0}):
        spoken = answer(**changes).spoken
        assert spoken.endswith(".")
        assert "None" not in spoken
