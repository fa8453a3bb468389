"""Deferred revenue: money received for a service still to be given. It is a liability, and is earned daily.

A term earns its amount evenly over the days of its service period, half-open [start, end). Each day earns the
amount divided by the days, rounded down to six decimals; the last day takes the rest, so that the days sum exactly
to the amount. What the company has and has not earned is owed; before the money is there, nothing is.

A refund reduces what is unearned from its day on, and the rest is earned over the days that are left; what it
exceeds the unearned part by was taken out of revenue earned before. A credit note and a dispute do the same. What
is given again, such as by a dispute that was won, is earned over the days left, or at once when none are.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal
from itertools import pairwise

from ledger.domain.money import MICRO, MONEY

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class ServiceTerm:
    """Attributes:
    amount: not negative, at most six decimals.
    start, end: half-open, at least one day.
    """

    amount: Decimal
    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(f"a service period must end after it begins, not {self.start} to {self.end}")
        if self.amount < 0:
            raise ValueError("what a service period earns must not be negative")


def earned_by(term: ServiceTerm, *, day: date) -> Decimal:
    """Return what a term has earned by the end of a day."""
    days = (term.end - term.start).days
    gone = (day - term.start).days + 1
    if gone <= 0:
        return ZERO
    if gone >= days:
        return term.amount
    return _per_day(term) * gone


def _per_day(term: ServiceTerm) -> Decimal:
    days = Decimal((term.end - term.start).days)
    return MONEY.divide(term.amount, days).quantize(MICRO, rounding=ROUND_DOWN, context=MONEY)


@dataclass(frozen=True, slots=True)
class TermCohort:
    """Many terms of the same days, of which nothing was taken back, as one: what is owed of each is a line.

    Attributes:
        amount: of all of them.
        per_day: what all of them earn on each day but the last, each rounded down by itself.
        start, end: half-open, at least one day.
        received_on: the day the money came; before it nothing is owed.
    """

    amount: Decimal
    per_day: Decimal
    start: date
    end: date
    received_on: date

    def unearned_at(self, *, day: date) -> Decimal:
        """Return what is owed in service at the end of a day."""
        gone = (day - self.start).days + 1
        if day < self.received_on or gone >= (self.end - self.start).days:
            return ZERO
        return self.amount - self.per_day * max(gone, 0)


def earned_on(term: ServiceTerm, *, day: date) -> Decimal:
    """Return what a term earns on a day."""
    return earned_by(term, day=day) - earned_by(term, day=day - timedelta(days=1))


def months_later(day: date, months: int) -> date:
    """Return the same day of a later month, or that month's last day when it has no such day."""
    number = day.year * 12 + day.month - 1 + months
    first = date(number // 12, number % 12 + 1, 1)
    following = date((number + 1) // 12, (number + 1) % 12 + 1, 1)
    return min(first + timedelta(days=day.day - 1), following - timedelta(days=1))


@dataclass(frozen=True, slots=True)
class Refund:
    """Something taken back from a term: money, or the promise of the service.

    Attributes:
        amount: positive; below zero when what was taken is given again.
    """

    day: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class DeferredTerm:
    """Money for one term, and what became of it.

    Attributes:
        received_on: the day the money came; before it nothing is owed.
        refunds: of this term.
    """

    term: ServiceTerm
    received_on: date
    refunds: tuple[Refund, ...] = ()


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A term between two refunds: `term` is what is still to be earned at the end of day `first`, and later."""

    first: date
    term: ServiceTerm | None
    earned_before: Decimal
    refunded: Decimal


def _stretches(deferred: DeferredTerm) -> list[_Stretch]:
    """Split a term at its refunds. The last stretch that begins on or before a day holds for it."""
    stretches = [_Stretch(date.min, deferred.term, ZERO, ZERO)]
    for refund in sorted(deferred.refunds, key=lambda refund: refund.day):
        before = stretches[-1]
        earned = before.earned_before + (earned_by(before.term, day=refund.day) if before.term else ZERO)
        refunded = before.refunded + refund.amount
        start = max(refund.day + timedelta(days=1), deferred.term.start)
        over = start >= deferred.term.end
        rest = ZERO if over else max(deferred.term.amount - earned - refunded, ZERO)
        term = ServiceTerm(rest, start, deferred.term.end) if rest else None
        # What goes beyond the unearned part takes earned revenue back.
        stretches.append(_Stretch(refund.day, term, deferred.term.amount - refunded - rest, refunded))
    return stretches


def _stretch_at(stretches: Sequence[_Stretch], day: date) -> _Stretch:
    return next(stretch for stretch in reversed(stretches) if stretch.first <= day)


def recognised_by(deferred: DeferredTerm, *, day: date) -> Decimal:
    """Return what is revenue at the end of a day, less what refunds took back of it."""
    stretch = _stretch_at(_stretches(deferred), day)
    return stretch.earned_before + (earned_by(stretch.term, day=day) if stretch.term else ZERO)


def unearned_at(deferred: DeferredTerm, *, day: date) -> Decimal:
    """Return what is owed in service at the end of a day: received, not refunded, and not earned."""
    if day < deferred.received_on:
        return ZERO
    stretch = _stretch_at(_stretches(deferred), day)
    return stretch.term.amount - earned_by(stretch.term, day=day) if stretch.term else ZERO


def unearned_curve(
    deferred: Iterable[DeferredTerm], *, start: date, end: date, cohorts: Iterable[TermCohort] = ()
) -> tuple[Decimal, ...]:
    """Return what all terms together owe at the end of every day of [start, end).

    What a term owes is a line until a refund or its last day bends it: a term costs the same whatever its length,
    and a cohort the same as a term.
    """
    days = max((end - start).days, 0)
    # On day number n: level + slope * n, both summed over the days up to it.
    level, slope = [ZERO] * (days + 1), [ZERO] * (days + 1)

    def add(first: int, last: int, at_first: Decimal, per_day: Decimal) -> None:
        begin, stop = min(max(first, 0), days), min(max(last, 0), days)
        if begin < stop:
            constant = at_first - per_day * first
            level[begin] += constant
            level[stop] -= constant
            slope[begin] += per_day
            slope[stop] -= per_day

    def owe(amount: Decimal, per_day: Decimal, service: tuple[date, date], begin: int, stop: int) -> None:
        """Add what earns an amount over its days, as far as that lies in day numbers [begin, stop)."""
        starts, is_over = ((edge - start).days for edge in service)
        add(begin, min(starts, stop), amount, ZERO)
        first = max(begin, starts)
        # On its last day nothing is owed any more, so that what was rounded off goes with it.
        add(first, min(is_over - 1, stop), amount - per_day * (first - starts + 1), -per_day)

    for one in deferred:
        received = (one.received_on - start).days
        stretches = _stretches(one)
        ends = [(stretch.first - start).days for stretch in stretches[1:]]
        for stretch, stop in zip(stretches, [*ends, days], strict=True):
            if stretch.term is not None:
                term, begin = stretch.term, max(received, (stretch.first - start).days)
                owe(term.amount, _per_day(term), (term.start, term.end), begin, stop)
    for cohort in cohorts:
        received = (cohort.received_on - start).days
        owe(cohort.amount, cohort.per_day, (cohort.start, cohort.end), received, days)
    owed_on: list[Decimal] = []
    constant, per_day = ZERO, ZERO
    for number in range(days):
        constant += level[number]
        per_day += slope[number]
        owed_on.append(constant + per_day * number)
    return tuple(owed_on)


@dataclass(frozen=True, slots=True)
class EarnedMonth:
    """Attributes:
    month: its first day.
    earned: in the days of it that are still to come.
    unearned: owed at its end.
    """

    month: date
    earned: Decimal
    unearned: Decimal


def earned_ahead(deferred: Sequence[DeferredTerm], *, after: date, months: int) -> tuple[EarnedMonth, ...]:
    """Return what will be earned per month after the end of a day, from money that is there by then.

    It ends with the month in which nothing is owed any more, after `months` at the latest. The first month is the
    rest of the one that the day lies in; it is left out when the day is the month's last.
    """
    first = after + timedelta(days=1)
    starts = [first, *(months_later(first.replace(day=1), number) for number in range(1, months + 1))]
    owed = unearned_curve(deferred, start=after, end=starts[-1])
    found: list[EarnedMonth] = []
    for begin, end in pairwise(starts):
        before, unearned = owed[(begin - first).days], owed[(end - first).days]
        if not before and not unearned:
            break
        found.append(EarnedMonth(begin.replace(day=1), before - unearned, unearned))
    return tuple(found)
