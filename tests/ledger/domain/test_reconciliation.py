"""Stated balances against the journal's own count."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.reconciliation import Assertion, Move, reconcile

DAY = date(2026, 3, 1)


def stated(day: int, amount: int | str, origin: str = "ofx") -> Assertion:
    return Assertion(DAY + timedelta(days=day), origin, Decimal(amount))


def moved(day: int, amount: int | str) -> Move:
    return Move(DAY + timedelta(days=day), Decimal(amount))


def test_nothing_stated_is_nothing_to_hold_to() -> None:
    assert reconcile(assertions=[], moves=[moved(1, 5)]) is None


def test_the_first_day_that_breaks_is_named_with_its_difference() -> None:
    found = reconcile(
        assertions=[stated(0, 100), stated(3, 90), stated(7, 70), stated(9, 65)],
        moves=[moved(0, 999), moved(2, -10), moved(5, -15), moved(9, -5)],
    )
    assert found is not None
    assert found.first_break is not None
    broken = found.first_break
    assert (broken.after, broken.day) == (DAY + timedelta(days=3), DAY + timedelta(days=7))
    assert (broken.stated, broken.ledger, broken.difference) == (70, 75, -5)
    assert found.reconciled_to == DAY + timedelta(days=3)
    # The next statement carries the same difference on: nothing new went wrong.
    assert [each.breaks for each in found.comparisons] == [False, True, False]


def test_an_explained_step_breaks_nothing_until_it_becomes_another() -> None:
    assertions = [stated(0, 100), stated(2, 95), stated(4, 95)]
    key = (DAY + timedelta(days=2), "ofx")
    explained = reconcile(assertions=assertions, moves=[], accepted={key: Decimal(-5)})
    assert explained is not None
    assert explained.first_break is None
    assert explained.reconciled_to == DAY + timedelta(days=4)
    changed = reconcile(assertions=assertions, moves=[moved(1, 3)], accepted={key: Decimal(-5)})
    assert changed is not None
    assert changed.first_break is not None
    assert changed.first_break.step == -8


def test_two_origins_of_one_day_are_both_held_to() -> None:
    found = reconcile(assertions=[stated(0, 100), stated(2, 100, "mt940"), stated(2, 90, "plaid")], moves=[])
    assert found is not None
    assert found.first_break is not None
    assert found.first_break.origin == "plaid"
    assert found.reconciled_to == DAY


amounts = st.decimals(min_value=-1000, max_value=1000, places=2)
days = st.integers(min_value=0, max_value=60)


@given(
    moves=st.lists(st.tuples(days, amounts), max_size=40),
    when=st.sets(days, min_size=2, max_size=12),
    opening=amounts,
)
def test_true_statements_never_break_and_one_lie_is_found_on_its_day(
    moves: list[tuple[int, Decimal]], when: set[int], opening: Decimal
) -> None:
    first, *later = sorted(when)
    truth = [
        stated(day, str(opening + sum(amount for moved_on, amount in moves if first < moved_on <= day)))
        for day in (first, *later)
    ]
    all_moves = [moved(day, str(amount)) for day, amount in moves]
    honest = reconcile(assertions=truth, moves=all_moves[::-1])
    assert honest is not None
    assert honest.first_break is None
    assert honest.reconciled_to == DAY + timedelta(days=later[-1])
    lie = Assertion(truth[1].day, "ofx", truth[1].amount + 1)
    caught = reconcile(assertions=[truth[0], lie, *truth[2:]], moves=all_moves)
    assert caught is not None
    assert caught.first_break is not None
    assert (caught.first_break.day, caught.first_break.difference) == (lie.day, 1)
