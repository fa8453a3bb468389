"""Holding the journal to what others state: the first day that breaks a stated balance, and its difference."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import accumulate

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Assertion:
    """A balance on a day that somebody outside states.

    Attributes:
        origin: who says so, such as `ofx` or `camt053`.
        as_of: the instant of the day that it is of; None: it is that of the day's end.
    """

    day: date
    origin: str
    amount: Decimal
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """What moved on an account in one day, signed."""

    day: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Comparison:
    """A stated balance beside what the journal comes to.

    Attributes:
        after: the day of the statement before; what went wrong lies in `(after, day]`.
        ledger: the opening balance and every move since, at the instant of the day that fits best.
        difference: stated less ledger: what is missing in the journal, or too much when below zero.
        step: the part of the difference that the statement before did not have.
        accepted: somebody explained this very step.
    """

    day: date
    after: date
    origin: str
    stated: Decimal
    ledger: Decimal
    difference: Decimal
    step: Decimal
    accepted: bool
    as_of: datetime | None = None

    @property
    def size(self) -> Decimal:
        """How much went wrong here, whichever way."""
        return abs(self.step)

    @property
    def breaks(self) -> bool:
        """Whether the journal went wrong here, and nobody has explained it."""
        return self.step != ZERO and not self.accepted


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """An account held to everything stated about it.

    Attributes:
        opening: the earliest statement, from which the journal is counted on; it can break nothing.
        opened_with: what the account held at the end of the opening's day.
        comparisons: every later statement, by day.
        first_break: None while everything stated is met or explained.
        reconciled_to: the last day up to which it is; that of the opening when nothing later is met.
    """

    opening: Assertion
    opened_with: Decimal
    comparisons: tuple[Comparison, ...]
    first_break: Comparison | None
    reconciled_to: date


def reconcile(
    *,
    assertions: Sequence[Assertion],
    moves: Sequence[Move],
    accepted: Mapping[tuple[date, str], Decimal] | None = None,
) -> Reconciliation | None:
    """Hold moves to assertions; None when nothing is stated.

    A balance of an instant is met when the journal came to it at any instant of that day: which moves of a day a
    bank had booked when it was asked, nobody knows, since feeds date by day.

    Args:
        assertions, moves: of one account and currency. Assertions come in any order; of several of the first day
            the first given is the opening, one of the day's end before one of an instant. Several moves may share
            a day, and then come in the order of time: between them lie the instants of the day.
        accepted: {(day, origin): step} of differences that somebody explained. A step that has become another
            since is no longer explained.
    """
    if not assertions:
        return None
    opening, *later = sorted(assertions, key=lambda each: (each.day, each.as_of is not None))
    days: dict[date, list[Decimal]] = defaultdict(list)
    for move in moves:
        days[move.day].append(move.amount)
    # What was stated at the end of a day is heard after what was stated within it.
    later.sort(key=lambda each: (each.day, each.as_of is None))
    comparisons: list[Comparison] = []
    opened_with = _opened_with(opening, later, days)
    ends = _balances_at_ends(opened_with, opening.day, days)
    before, after = ZERO, opening.day
    for assertion in later:
        ledger = ends(assertion.day)
        if assertion.as_of is not None:
            instants = _instants(ledger, days.get(assertion.day, ()))
            ledger = min(reversed(instants), key=lambda each: abs(assertion.amount - each - before))
        difference = assertion.amount - ledger
        step = difference - before
        comparisons.append(
            Comparison(
                day=assertion.day,
                after=after,
                origin=assertion.origin,
                stated=assertion.amount,
                ledger=ledger,
                difference=difference,
                step=step,
                accepted=step != ZERO and (accepted or {}).get((assertion.day, assertion.origin)) == step,
                as_of=assertion.as_of,
            )
        )
        before, after = difference, assertion.day
    first_break = next((each for each in comparisons if each.breaks), None)
    met = [each.day for each in comparisons if first_break is None or each.day < first_break.day]
    return Reconciliation(
        opening=opening,
        opened_with=opened_with,
        comparisons=tuple(comparisons),
        first_break=first_break,
        reconciled_to=max(met, default=opening.day),
    )


def _instants(end: Decimal, moves: Sequence[Decimal]) -> list[Decimal]:
    """What an account held at the instants of a day, told by its end: before, between and after its moves."""
    held = [end]
    for amount in reversed(moves):
        held.append(held[-1] - amount)
    return held[::-1]


def _opened_with(
    opening: Assertion, later: Sequence[Assertion], days: Mapping[date, Sequence[Decimal]]
) -> Decimal:
    """What the account held at the end of the opening's day.

    An opening of an instant leaves open which moves of its day were to come: as many as let the next statement be
    met, and none when that does not tell.
    """
    if opening.as_of is None or not later:
        return opening.amount
    of_day = days.get(opening.day, ())
    came = [opening.amount + sum(of_day[place:], ZERO) for place in reversed(range(len(of_day) + 1))]
    following = later[0]
    moved = _balances_at_ends(ZERO, opening.day, days)(following.day)
    for end in came:
        held = [end + moved]
        if following.as_of is not None:
            held = _instants(end + moved, days.get(following.day, ()))
        if following.amount in held:
            return end
    return opening.amount


def _balances_at_ends(
    opened_with: Decimal, opened_on: date, days: Mapping[date, Sequence[Decimal]]
) -> Callable[[date], Decimal]:
    """Return the balance at the end of a day, for days from the opening's on."""
    moved = sorted(day for day in days if day > opened_on)
    held = list(accumulate((sum(days[day], ZERO) for day in moved), initial=opened_with))
    return lambda day: held[bisect_right(moved, day)]
