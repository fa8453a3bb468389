from datetime import date
from decimal import Decimal

import pytest

from forecasting.fit.plan import InvalidPlan, PlanDocument, parse_plan

FULL = {
    "company": "acme",
    "base_currency": "USD",
    "as_of": "2025-06-30",
    "history_start": "2024-01-01",
    "opening_balance": {"USD": "1070081.36", "EUR": "0.00"},
    "history_opening_balance": {"USD": "-5.00"},
    "fx": {"EUR": 1.08381},
    "fx_history": [["2025-06-01", 1.1, 1.3]],
    "tranches": [
        {
            "date": "2025-09-01",
            "amount": "500000",
            "probability": 0.7,
            "delay": {"dist": "gamma", "mean_days": 18, "sd_days": 9.5},
            "milestone": "ARR",
        }
    ],
    "cloud_credits": [{"provider": "AWS", "remaining": "92000.00", "expires": "2025-12-31"}],
    "planned_hires": [{"start": "2025-08-01", "monthly_gross": "9000", "currency": "USD", "confirmed": True}],
    "annual_renewals": [{"vendor": "CRM Inc", "date": "2025-10-01", "amount": "12000"}],
    "open_receivables": [{"customer": "Big Co", "amount": "30000", "due": "2025-07-15"}],
}


def problems(raw: object) -> dict[str, str]:
    with pytest.raises(InvalidPlan) as refused:
        parse_plan(raw)
    return {problem.path: problem.message for problem in refused.value.problems}


def test_it_reads_every_key_of_a_full_plan():
    plan = parse_plan(FULL)
    assert plan.as_of == date(2025, 6, 30)
    assert plan.opening_balance == {"USD": Decimal("1070081.36"), "EUR": Decimal("0.00")}
    assert plan.history_opening_balance == {"USD": Decimal("-5.00")}
    assert plan.fx == {"EUR": Decimal("1.08381")}
    assert plan.fx_history == ((date(2025, 6, 1), 1.1, 1.3),)
    assert plan.tranches[0].delay.sd_days == 9.5
    assert plan.cloud_credits[0].remaining == Decimal("92000.00")
    assert plan.planned_hires[0].confirmed
    assert plan.annual_renewals[0].vendor == "CRM Inc"
    assert plan.open_receivables[0].due == date(2025, 7, 15)


def test_an_empty_plan_is_a_plan():
    assert parse_plan({}) == PlanDocument()


def test_it_names_every_problem_at_once_with_its_path():
    found = problems(
        {
            "runway": 12,
            "as_of": "30.06.2025",
            "fx": {"eur": 1.1, "GBP": -1},
            "tranches": [FULL["tranches"][0] | {"probability": 1, "delay": {"dist": "normal", "mean_days": 1}}],
            "planned_hires": [{"start": "2025-08-01", "salary": "9000"}],
            "open_receivables": {"customer": "Big Co"},
        }
    )
    assert set(found) == {
        "runway",
        "as_of",
        "fx.eur",
        "fx.GBP",
        "tranches[0].probability",
        "tranches[0].delay.dist",
        "tranches[0].delay.sd_days",
        "planned_hires[0].salary",
        "planned_hires[0].monthly_gross",
        "planned_hires[0].currency",
        "open_receivables",
    }
    assert "known: " in found["runway"]


@pytest.mark.parametrize("probability", [0, 1, 1.5, -0.1, True, "0.7", None, float("nan")])
def test_it_refuses_a_tranche_that_is_certain_impossible_or_no_probability(probability: object):
    raw = {"tranches": [FULL["tranches"][0] | {"probability": probability}]}
    assert "tranches[0].probability" in problems(raw)


@pytest.mark.parametrize(
    "amount", [1500, 1500.0, "1e6", "-5", "0", "1,000", "", "NaN", "1.1234567", "1" * 15, None]
)
def test_it_refuses_an_amount_that_is_no_positive_decimal_in_text(amount: object):
    assert "annual_renewals[0].amount" in problems(
        {"annual_renewals": [FULL["annual_renewals"][0] | {"amount": amount}]}
    )


@pytest.mark.parametrize("day", ["2025-02-30", "20250630", "2025-6-1", 20250630, "2025-06-30T00:00:00Z"])
def test_it_refuses_a_date_that_is_none(day: object):
    assert "cloud_credits[0].expires" in problems({"cloud_credits": [FULL["cloud_credits"][0] | {"expires": day}]})


def test_it_refuses_a_history_that_starts_after_its_end():
    assert "history_start" in problems({"as_of": "2025-01-01", "history_start": "2025-02-01"})


@pytest.mark.parametrize("raw", [None, [], "plan", 5])
def test_it_refuses_what_is_no_object(raw: object):
    assert problems(raw).keys() == {"$"}


@pytest.mark.parametrize("due", ["0001-01-01", "1998-12-31", "2101-01-01", "9999-12-31"])
def test_a_day_of_no_business_is_refused_by_its_place(due):
    with pytest.raises(InvalidPlan) as refused:
        parse_plan(FULL | {"open_receivables": [{"customer": "Big Co", "amount": "30000", "due": due}]})
    assert str(refused.value) == "open_receivables[0].due: must lie between 1999 and 2100"
