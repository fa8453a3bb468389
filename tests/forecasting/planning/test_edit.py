"""A plan with a row more, another, or one less."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.fit.plan import parse_plan
from forecasting.planning.edit import NoSuchRow, nested, value_at, with_row, without_row
from forecasting.planning.row_kind import ROW_KINDS

BILL = {"vendor": "Okta", "date": "2026-07-01", "amount": "900.00"}
rows = st.lists(st.fixed_dictionaries({"vendor": st.text(max_size=8), "amount": st.integers(1, 99).map(str)}))


def test_a_row_is_added_behind_the_last_and_the_plan_before_stays_as_it_was():
    plan = {"as_of": "2026-03-31", "annual_renewals": [BILL]}
    changed = with_row(plan, key="annual_renewals", place=None, row=BILL | {"vendor": "Vanta"})
    assert [row["vendor"] for row in changed["annual_renewals"]] == ["Okta", "Vanta"]
    assert plan == {"as_of": "2026-03-31", "annual_renewals": [BILL]}


def test_the_first_row_of_a_list_makes_the_list():
    assert with_row({}, key="annual_renewals", place=None, row=BILL) == {"annual_renewals": [BILL]}


@given(before=rows, data=st.data())
def test_what_is_added_and_taken_out_again_leaves_the_plan_as_it_was(before, data):
    plan = {"annual_renewals": before}
    added = with_row(plan, key="annual_renewals", place=None, row=BILL)
    assert without_row(added, key="annual_renewals", place=len(before)) == plan
    if before:
        place = data.draw(st.integers(0, len(before) - 1))
        turned = with_row(plan, key="annual_renewals", place=place, row=BILL)
        assert with_row(turned, key="annual_renewals", place=place, row=before[place]) == plan


@pytest.mark.parametrize("place", [-1, 1, 10**6])
def test_a_row_that_is_not_there_is_neither_replaced_nor_taken_out(place):
    plan = {"annual_renewals": [BILL]}
    with pytest.raises(NoSuchRow, match="annual_renewals"):
        without_row(plan, key="annual_renewals", place=place)
    with pytest.raises(NoSuchRow):
        with_row(plan, key="annual_renewals", place=place, row=BILL)


def test_a_path_leads_into_an_object_and_back():
    row = nested({"amount": "1", "delay.dist": "gamma", "delay.mean_days": 9})
    assert row == {"amount": "1", "delay": {"dist": "gamma", "mean_days": 9}}
    assert value_at(row, "delay.mean_days") == 9
    assert value_at(row, "delay.sd_days") is None
    assert value_at({"delay": 3}, "delay.mean_days") is None


def test_the_fields_of_every_kind_are_those_of_the_plan():
    """A list or a key that the plan learns and the page does not would be lost from sight."""
    values = {"day": "2026-07-01", "money": "5", "percent": 0.5, "days": 3, "text": "x", "currency": "USD"}
    for kind in ROW_KINDS.values():
        row = nested(dict(kind.fixed) | {field.name: values.get(field.kind, True) for field in kind.fields})
        document = parse_plan({kind.key: [row]})
        (parsed,) = getattr(document, kind.key)
        assert set(row) == set(type(parsed).__slots__)
