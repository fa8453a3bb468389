"""Doubts that the data itself raises: spending that flips its sign, a month without payroll."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.data_warning import (
    BURN_BELOW_ZERO,
    SPENDING_BELOW_ZERO,
    MonthOfFlows,
    WarnedRows,
    burn_warnings,
    payroll_warning,
    silence_warning,
)

ZERO = Decimal(0)
JAN, FEB, MAR, APR = (date(2026, month, 1) for month in (1, 2, 3, 4))


def flow(month: date, category: str, counterparty: str, out: int = 0, back: int = 0, **more: bool) -> MonthOfFlows:
    return MonthOfFlows(month, category, counterparty, Decimal(out), Decimal(back), **more)


def test_a_credit_that_was_never_applied_to_its_bill_is_named_with_month_category_and_rows() -> None:
    bills = [flow(month, "cloud", "AWS", out=300) for month in (JAN, FEB)]
    (warning,) = burn_warnings([*bills, flow(MAR, "cloud", "AWS", out=300, back=900)])
    assert warning.code == SPENDING_BELOW_ZERO
    assert warning.sentence == (
        "Spending on cloud came out below zero in March 2026: AWS gave back more than was paid."
    )
    assert (warning.since, warning.rows, warning.amount) == (MAR, WarnedRows(MAR, text="cloud"), -600)
    assert [(cause.counterparty, cause.returned) for cause in warning.causes] == [("AWS", 900)]
    assert "vendor credit" in warning.advice


def test_refunds_under_another_category_are_seen_by_their_counterparty() -> None:
    paid = [flow(month, "saas", "Segment", out=100) for month in (JAN, FEB, MAR)]
    (warning,) = burn_warnings([*paid, flow(MAR, "refund", "Segment", back=250)])
    assert (warning.rows.text, warning.amount) == ("Segment", -150)


def test_burn_that_only_refunds_made_negative_is_named_though_no_kind_of_spending_is() -> None:
    steady = [flow(month, "rent", "Landlord", out=1000) for month in (JAN, FEB, MAR)]
    vendor = [flow(month, "ads", "Google", out=5000) for month in (JAN, FEB, MAR)]
    sales = [flow(month, "sales", "Customer", back=3000) for month in (JAN, FEB, MAR)]
    assert burn_warnings([*steady, *vendor, *sales]) == ()
    (warning,) = burn_warnings([*steady, *vendor, *sales, flow(MAR, "ads", "Google", back=4000)])
    assert (warning.code, warning.since, warning.amount) == (BURN_BELOW_ZERO, MAR, -1000)
    assert warning.causes[0].returned == 4000


def test_new_money_and_good_sales_are_no_warning() -> None:
    spent = [flow(month, "rent", "Landlord", out=1000) for month in (JAN, FEB, MAR)]
    assert burn_warnings([*spent, flow(MAR, "funding", "Fund", back=2_000_000)]) == ()
    assert burn_warnings([*spent, flow(MAR, "sales", "Customer", back=9000)]) == ()


def test_the_latest_month_comes_first() -> None:
    paid = [flow(month, "saas", "Segment", out=100) for month in (JAN, FEB, MAR, APR)]
    refunds = [flow(month, "saas", "Segment", back=120) for month in (FEB, APR)]
    assert [warning.since for warning in burn_warnings([*paid, *refunds])] == [APR, FEB]


@given(
    st.lists(
        st.builds(
            MonthOfFlows,
            month=st.sampled_from([JAN, FEB, MAR]),
            category=st.sampled_from(["", "a", "b"]),
            counterparty=st.sampled_from(["", "x", "y"]),
            out=st.decimals(0, 1000, places=2),
            back=st.just(Decimal(0)),
        ),
        max_size=30,
    )
)
def test_who_never_gets_anything_back_is_never_warned(flows: list[MonthOfFlows]) -> None:
    assert burn_warnings(flows) == ()


def flipped(flows: list[MonthOfFlows], names: list[str]) -> set[tuple[date, str]]:
    """The same from the definition: one month below zero, all others together above it."""
    found = set()
    for name in names:
        spent = {
            month: sum((f.spent for f in flows if f.month == month and name in (f.category, f.counterparty)), ZERO)
            for month in {f.month for f in flows}
        }
        ever = sum(spent.values(), ZERO)
        found |= {(month, name) for month, amount in spent.items() if amount < 0 < ever - amount}
    return found


@given(
    st.lists(
        st.builds(
            MonthOfFlows,
            month=st.sampled_from([JAN, FEB, MAR]),
            category=st.sampled_from(["", "a", "b"]),
            counterparty=st.just(""),
            out=st.decimals(0, 9, places=0),
            back=st.decimals(0, 9, places=0),
        ),
        max_size=12,
    ),
    st.booleans(),
)
def test_kinds_are_named_in_the_months_in_which_they_flip_and_in_no_other(
    flows: list[MonthOfFlows], by_counterparty: bool
) -> None:
    if by_counterparty:
        flows = [replace(each, category="", counterparty=each.category) for each in flows]
    named = {(each.since, each.rows.text) for each in burn_warnings(flows) if each.code == SPENDING_BELOW_ZERO}
    assert named == flipped(flows, ["a", "b"])


def test_a_month_without_payroll_is_named_when_every_month_had_one() -> None:
    habit = {JAN: Decimal(10), FEB: Decimal(12), MAR: Decimal(11)}
    warning = payroll_warning(habit, this_month=date(2026, 5, 1))
    assert warning is not None
    assert warning.sentence == "April 2026 has no payroll, and the 3 months before it all had one."
    assert (warning.since, warning.rows) == (APR, WarnedRows(APR, text="payroll"))
    assert payroll_warning({**habit, APR: Decimal(1)}, this_month=date(2026, 5, 1)) is None


def test_a_month_that_has_just_begun_and_a_habit_with_holes_are_no_warning() -> None:
    habit = {JAN: Decimal(10), FEB: Decimal(12), MAR: Decimal(11)}
    assert payroll_warning(habit, this_month=APR) is None
    assert payroll_warning({JAN: Decimal(10), MAR: Decimal(12)}, this_month=date(2026, 5, 1)) is None
    # Whoever stopped months ago has been told, or has no staff any more.
    assert payroll_warning(habit, this_month=date(2026, 8, 1)) is None


def test_a_silent_feed_says_for_how_long_and_where_it_ended() -> None:
    warning = silence_warning(
        account="bank", source="plaid", last_day=date(2026, 3, 9), quiet_days=20, usual_quiet_days=4
    )
    assert warning.sentence == "plaid on bank has been silent for 20 days; it is usually quiet for 4 at most."
    assert warning.rows == WarnedRows(MAR, account="bank", source="plaid")
