"""What two versions of a plan differ in."""

from hypothesis import given
from hypothesis import strategies as st

from forecasting.planning.difference import PlainChange, RowChange, plan_changes

TRANCHE = {
    "date": "2026-06-01",
    "amount": "200000.00",
    "probability": 0.7,
    "delay": {"dist": "gamma", "mean_days": 18, "sd_days": 9},
    "milestone": "Second closing",
}
bills = st.lists(
    st.fixed_dictionaries(
        {"vendor": st.sampled_from("abc"), "date": st.just("2026-07-01"), "amount": st.sampled_from("12")}
    ),
    max_size=5,
)


def test_a_row_that_says_something_else_is_told_by_what_it_says_otherwise():
    later = TRANCHE | {"date": "2026-08-01", "delay": {"dist": "gamma", "mean_days": 30, "sd_days": 9}}
    (change,) = plan_changes({"tranches": [TRANCHE]}, {"tranches": [later]})
    assert isinstance(change, RowChange)
    assert change.change == "changed"
    assert [(each.field.name, each.before, each.after) for each in change.values] == [
        ("date", "2026-06-01", "2026-08-01"),
        ("delay.mean_days", 18, 30),
    ]


def test_a_row_of_another_name_went_and_came():
    other = TRANCHE | {"milestone": "Third closing"}
    came, went = plan_changes({"tranches": [TRANCHE]}, {"tranches": [other]})
    assert (came.change, came.row) == ("added", other)
    assert (went.change, went.row) == ("removed", TRANCHE)


def test_balances_are_told_by_currency():
    before = {
        "as_of": "2026-03-31",
        "opening_balance": {"USD": "1", "EUR": "2"},
        "fx_history": [["2026-03-31", 1, 1]],
    }
    after = {"as_of": "2026-04-30", "opening_balance": {"USD": "3", "GBP": "4"}}
    assert plan_changes(before, after) == (
        PlainChange("as_of", "2026-03-31", "2026-04-30"),
        PlainChange("opening_balance.EUR", "2", None),
        PlainChange("opening_balance.GBP", None, "4"),
        PlainChange("opening_balance.USD", "1", "3"),
        PlainChange("fx_history", 1, 0),
    )


@given(before=bills, after=bills)
def test_what_is_told_is_the_whole_difference(before, after):
    """As many rows came less went as the lists differ by, and the same rows in another order are no change."""
    changes = plan_changes({"annual_renewals": before}, {"annual_renewals": after})
    came = sum(change.change == "added" for change in changes)
    went = sum(change.change == "removed" for change in changes)
    assert came - went == len(after) - len(before)
    in_order = [sorted(tuple(sorted(row.items())) for row in rows) for rows in (before, after)]
    assert (changes == ()) == (in_order[0] == in_order[1])
