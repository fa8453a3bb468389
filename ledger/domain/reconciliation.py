"""Holding the journal to what others state: the first day that breaks a stated balance, and its difference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Assertion:
    """A balance at the end of a day that somebody outside states.

    Attributes:
        origin: who says so, such as `ofx` or `camt053`.
    """

    day: date
    origin: str
    amount: Decimal


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
        ledger: the opening balance and every move since.
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
        comparisons: every later statement, by day.
        first_break: None while everything stated is met or explained.
        reconciled_to: the last day up to which it is; that of the opening when nothing later is met.
    """

    opening: Assertion
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

    Args:
        assertions, moves: of one account and currency, in any order; several moves may share a day. Of several
            assertions of the first day, the first given is the opening.
        accepted: {(day, origin): step} of differences that somebody explained. A step that has become another
            since is no longer explained.
    """
    if not assertions:
        return None
    opening, *later = sorted(assertions, key=lambda each: each.day)
    explained = accepted or {}
    pending = sorted((move for move in moves if move.day > opening.day), key=lambda move: move.day)
    ledger, before, after, place = opening.amount, ZERO, opening.day, 0
    comparisons: list[Comparison] = []
    for assertion in later:
        while place < len(pending) and pending[place].day <= assertion.day:
            ledger += pending[place].amount
            place += 1
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
                accepted=step != ZERO and explained.get((assertion.day, assertion.origin)) == step,
            )
        )
        before, after = difference, assertion.day
    first_break = next((each for each in comparisons if each.breaks), None)
    met = [each.day for each in comparisons if first_break is None or each.day < first_break.day]
    return Reconciliation(
        opening=opening,
        comparisons=tuple(comparisons),
        first_break=first_break,
        reconciled_to=max(met, default=opening.day),
    )
