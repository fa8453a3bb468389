"""Stated balances against the journal's own count."""

from datetime import UTC, date, datetime, timedelta
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


def asked(day: int, amount: int | str, *, hour: int = 12, origin: str = "plaid") -> Assertion:
    at = datetime(DAY.year, DAY.month, DAY.day, hour, tzinfo=UTC) + timedelta(days=day)
    return Assertion(DAY + timedelta(days=day), origin, Decimal(amount), at)


def test_a_balance_of_an_instant_is_met_at_any_instant_of_its_day() -> None:
    moves = [moved(3, -10), moved(3, -20), moved(3, 5), moved(4, -1)]
    for amount in (100, 90, 70, 75):
        found = reconcile(assertions=[stated(0, 100), asked(3, amount), stated(4, 74)], moves=moves)
        assert found is not None
        assert found.first_break is None, amount
        assert found.comparisons[0].ledger == amount
    for amount in (80, 110):
        found = reconcile(assertions=[stated(0, 100), asked(3, amount)], moves=moves)
        assert found is not None
        assert found.first_break is not None, amount
    strict = reconcile(assertions=[stated(0, 100), stated(3, 90)], moves=moves)
    assert strict is not None
    assert strict.first_break is not None


def test_a_break_at_an_instant_is_told_once_and_carried_on() -> None:
    found = reconcile(
        assertions=[stated(0, 100), asked(2, "83.5"), stated(3, "63.5"), asked(5, "63.5")],
        moves=[moved(2, -10), moved(2, -20)],
    )
    assert found is not None
    assert [each.step for each in found.comparisons] == [Decimal("-6.5"), 0, 0]
    assert found.comparisons[0].ledger == 90


def test_an_end_of_a_day_is_heard_after_its_instants_and_opens_before_them() -> None:
    found = reconcile(assertions=[asked(0, 100), stated(0, 80)], moves=[moved(0, -20), moved(1, -5)])
    assert found is not None
    assert (found.opened_with, found.first_break) == (80, None)
    later = reconcile(assertions=[stated(0, 80), stated(1, 75), asked(1, 80)], moves=[moved(1, -5)])
    assert later is not None
    assert [each.as_of is None for each in later.comparisons] == [False, True]
    assert later.first_break is None


def test_an_opening_of_an_instant_lets_the_next_statement_tell_what_came_after_it() -> None:
    moves = [moved(0, -10), moved(0, -20), moved(2, -1)]
    for following, opened_with in ((99, 100), (79, 80), (69, 70), (50, 100)):
        found = reconcile(assertions=[asked(0, 100), stated(2, following)], moves=moves)
        assert found is not None
        assert found.opened_with == opened_with
        assert (found.first_break is None) == (following != 50)
    alone = reconcile(assertions=[asked(0, 100)], moves=moves)
    assert alone is not None
    assert alone.opened_with == 100


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


@given(
    moves=st.lists(st.tuples(st.integers(0, 8), amounts), max_size=30),
    when=st.lists(
        st.tuples(st.integers(1, 8), st.floats(0, 1)), min_size=1, max_size=8, unique_by=lambda each: each[0]
    ),
    lie=st.integers(1, 5),
)
def test_true_balances_of_any_instant_never_break_and_an_absurd_one_does(
    moves: list[tuple[int, Decimal]], when: list[tuple[int, float]], lie: int
) -> None:
    ordered = sorted(moves, key=lambda each: each[0])
    told = []
    for day, share in sorted(when):
        before = [amount for moved_on, amount in ordered if 0 < moved_on < day]
        of_day = [amount for moved_on, amount in ordered if moved_on == day]
        seen = of_day[: round(share * len(of_day))]
        told.append(asked(day, str(sum(before + seen, Decimal(100)))))
    all_moves = [moved(day, str(amount)) for day, amount in ordered]
    honest = reconcile(assertions=[stated(0, 100), *told], moves=all_moves)
    assert honest is not None
    assert honest.first_break is None
    false = Assertion(told[-1].day, "plaid", told[-1].amount + lie * 10**6, told[-1].as_of)
    caught = reconcile(assertions=[stated(0, 100), *told[:-1], false], moves=all_moves)
    assert caught is not None
    assert caught.first_break is not None
    assert caught.first_break.day == false.day
