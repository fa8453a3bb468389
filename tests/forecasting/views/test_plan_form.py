"""A row of the plan as it is typed: what it means, and what is said of what it cannot mean."""

import pytest

from forecasting.fit.plan import InvalidPlan, parse_plan
from forecasting.planning.edit import with_row
from forecasting.planning.row_kind import PLANNED_HIRES, TRANCHES
from forecasting.views.plan_form import form_of, read_form

TYPED = {
    "milestone": "Second closing",
    "date": "2026-06-01",
    "amount": "250,000.50",
    "probability": "62,5",
    "delay.mean_days": "18",
    "delay.sd_days": "9.5",
}


def said(**typed: str) -> dict[str, str]:
    """Errors by field: of the form, else of the plan that it makes."""
    given = TYPED | {name.replace("delay_", "delay."): value for name, value in typed.items()}
    form, row = read_form(TRANCHES, place=0, given=given)
    if form.errors:
        return dict(form.errors)
    try:
        parse_plan(with_row({"tranches": [{}]}, key="tranches", place=0, row=row))
    except InvalidPlan as invalid:
        return dict(form.refused(invalid.problems).errors)
    return {}


@pytest.mark.parametrize(
    ("field", "typed", "error"),
    [
        ("amount", "1.000,00", "must be an amount such as 12,500.00"),
        ("amount", "1e6", "must be an amount such as 12,500.00"),
        ("amount", "-5", "must be above zero"),
        ("amount", "9" * 15, "has more than 14 digits before or 6 after the point"),
        ("amount", "", "is missing"),
        ("probability", "100", "must be above 0 and below 100: no tranche is certain, none is impossible"),
        ("probability", "likely", "must be a number"),
        ("date", "1.6.2026", "must be a date as YYYY-MM-DD"),
        ("date", "2101-01-01", "must lie between 1999 and 2100"),
        ("delay_sd_days", "0", "must be above 0 and at most 730 days"),
        ("milestone", "a\x00b", "must be text of at most 255 characters"),
    ],
)
def test_what_is_wrong_is_said_of_its_field(field, typed, error):
    assert said(**{field: typed}) == {field.replace("delay_", "delay."): error}


@pytest.mark.parametrize("amount", ["250000.50", "250,000.50", " 250 000.50 ", "250\N{NO-BREAK SPACE}000.50"])
def test_an_amount_is_read_however_its_thousands_are_parted(amount):
    _, row = read_form(TRANCHES, place=None, given=TYPED | {"amount": amount})
    assert row["amount"] == "250000.50"


def test_a_row_opens_as_it_was_typed_and_a_flag_that_is_not_set_is_false():
    _form, row = read_form(TRANCHES, place=0, given=TYPED)
    assert form_of(TRANCHES, place=0, row=row).typed == TYPED | {"probability": "62.5"}
    _, hire = read_form(
        PLANNED_HIRES, place=None, given={"start": "2026-05-01", "monthly_gross": "1", "currency": "usd"}
    )
    assert hire == {"start": "2026-05-01", "monthly_gross": "1", "currency": "USD", "confirmed": False}
