"""Deferred revenue: earned by the day, exact to the last one."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.recognition import (
    DeferredTerm,
    Refund,
    ServiceTerm,
    earned_by,
    earned_on,
    months_later,
    recognised_by,
    unearned_at,
    unearned_curve,
)

JAN_1 = date(2026, 1, 1)
AMOUNTS = st.decimals(min_value=0, max_value=1_000_000, places=6)
TERMS = st.builds(
    lambda amount, offset, days: ServiceTerm(
        amount, JAN_1 + timedelta(days=offset), JAN_1 + timedelta(days=offset + days)
    ),
    AMOUNTS,
    st.integers(-40, 40),
    st.integers(1, 400),
)
DEFERRED = st.builds(
    DeferredTerm,
    TERMS,
    st.dates(date(2025, 12, 1), date(2026, 3, 1)),
    st.lists(
        st.builds(
            Refund,
            st.dates(date(2025, 12, 1), date(2027, 1, 1)),
            st.decimals(min_value=-100_000, max_value=1_000_000, places=6),
        ),
        max_size=4,
    ).map(tuple),
)


def days_of(term: ServiceTerm) -> list[date]:
    return [term.start + timedelta(days=number) for number in range((term.end - term.start).days)]


@given(TERMS)
def test_the_days_sum_exactly_to_the_amount(term: ServiceTerm) -> None:
    parts = [earned_on(term, day=day) for day in days_of(term)]
    assert sum(parts) == term.amount
    assert len(set(parts[:-1])) <= 1
    assert all(part >= 0 for part in parts)
    assert parts[-1] - parts[0] < Decimal("0.000001") * len(parts)


def test_the_last_day_takes_the_rounding() -> None:
    term = ServiceTerm(Decimal(100), JAN_1, date(2026, 1, 4))
    assert [earned_on(term, day=day) for day in days_of(term)] == [
        Decimal("33.333333"),
        Decimal("33.333333"),
        Decimal("33.333334"),
    ]


def test_the_period_is_half_open() -> None:
    term = ServiceTerm(Decimal(365), JAN_1, date(2027, 1, 1))
    assert earned_by(term, day=date(2025, 12, 31)) == 0
    assert earned_by(term, day=JAN_1) == 1
    assert earned_by(term, day=date(2026, 12, 30)) == 364
    assert earned_by(term, day=date(2026, 12, 31)) == 365
    assert earned_on(term, day=date(2027, 1, 1)) == 0


def test_nothing_is_owed_before_the_money_is_there_and_all_of_it_before_the_service_begins() -> None:
    early = DeferredTerm(ServiceTerm(Decimal(31), JAN_1, date(2026, 2, 1)), received_on=date(2025, 12, 10))
    assert unearned_at(early, day=date(2025, 12, 9)) == 0
    assert unearned_at(early, day=date(2025, 12, 31)) == 31
    late = DeferredTerm(early.term, received_on=date(2026, 1, 11))
    assert unearned_at(late, day=date(2026, 1, 10)) == 0
    assert unearned_at(late, day=date(2026, 1, 11)) == 20


def test_a_refund_reduces_what_is_owed_and_the_rest_is_earned_over_the_days_left() -> None:
    term = DeferredTerm(
        ServiceTerm(Decimal(310), JAN_1, date(2026, 2, 1)),
        received_on=JAN_1,
        refunds=(Refund(date(2026, 1, 11), Decimal(100)),),
    )
    assert unearned_at(term, day=date(2026, 1, 10)) == 210
    assert unearned_at(term, day=date(2026, 1, 11)) == 100
    assert unearned_at(term, day=date(2026, 1, 21)) == 50
    assert unearned_at(term, day=date(2026, 1, 31)) == 0
    assert recognised_by(term, day=date(2026, 1, 31)) == 210


def test_a_refund_beyond_what_is_owed_takes_earned_revenue_back() -> None:
    term = DeferredTerm(
        ServiceTerm(Decimal(310), JAN_1, date(2026, 2, 1)),
        received_on=JAN_1,
        refunds=(Refund(date(2026, 1, 30), Decimal(300)),),
    )
    assert recognised_by(term, day=date(2026, 1, 29)) == 290
    assert unearned_at(term, day=date(2026, 1, 30)) == 0
    assert recognised_by(term, day=date(2026, 3, 1)) == 10


def test_what_is_given_back_again_is_earned_over_the_days_left() -> None:
    lost_and_won = DeferredTerm(
        ServiceTerm(Decimal(310), JAN_1, date(2026, 2, 1)),
        received_on=JAN_1,
        refunds=(Refund(date(2026, 1, 11), Decimal(310)), Refund(date(2026, 1, 21), Decimal(-310))),
    )
    assert recognised_by(lost_and_won, day=date(2026, 1, 10)) == 100
    # All of it is gone, what was earned too.
    assert recognised_by(lost_and_won, day=date(2026, 1, 11)) == 0
    assert unearned_at(lost_and_won, day=date(2026, 1, 20)) == 0
    # It is there again, and ten days are left to earn what was not earned by then.
    assert unearned_at(lost_and_won, day=date(2026, 1, 26)) == 155
    assert recognised_by(lost_and_won, day=date(2026, 1, 31)) == 310


def test_what_is_given_back_after_the_end_is_revenue_at_once() -> None:
    late = DeferredTerm(
        ServiceTerm(Decimal(310), JAN_1, date(2026, 2, 1)),
        received_on=JAN_1,
        refunds=(Refund(date(2026, 1, 11), Decimal(310)), Refund(date(2026, 3, 1), Decimal(-310))),
    )
    assert recognised_by(late, day=date(2026, 2, 28)) == 0
    assert unearned_at(late, day=date(2026, 3, 1)) == 0
    assert recognised_by(late, day=date(2026, 3, 1)) == 310


@given(DEFERRED, st.dates(date(2025, 11, 1), date(2027, 6, 1)))
def test_received_money_is_earned_owed_or_refunded(deferred: DeferredTerm, day: date) -> None:
    if day < deferred.received_on:
        assert unearned_at(deferred, day=day) == 0
        return
    refunded = sum((refund.amount for refund in deferred.refunds if refund.day <= day), Decimal(0))
    assert recognised_by(deferred, day=day) + unearned_at(deferred, day=day) + refunded == deferred.term.amount
    assert unearned_at(deferred, day=day) >= 0


@given(st.lists(DEFERRED, max_size=4))
def test_the_curve_is_the_sum_of_its_terms_on_every_day(deferred: list[DeferredTerm]) -> None:
    start, end = date(2025, 12, 20), date(2026, 3, 10)
    curve = unearned_curve(deferred, start=start, end=end)
    for number in range((end - start).days):
        day = start + timedelta(days=number)
        assert curve[number] == sum((unearned_at(one, day=day) for one in deferred), Decimal(0))


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2026, 3, 15), 12, date(2027, 3, 15)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
    ],
)
def test_a_month_later_is_the_same_day_or_the_months_last(day: date, months: int, later: date) -> None:
    assert months_later(day, months) == later


def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="must end after it begins"):
        ServiceTerm(Decimal(1), JAN_1, JAN_1)
