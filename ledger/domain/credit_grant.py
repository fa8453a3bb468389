"""Vendor credits: granted, used up by bills, and gone on a day."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class CreditGrantBalance:
    """Attributes:
    remaining: in the company's base currency, not negative.
    expires_on: the last day it can be used.
    """

    provider: str
    remaining: Decimal
    expires_on: date


def draw_down(
    grants: Sequence[CreditGrantBalance], *, used: Iterable[tuple[date, Decimal]]
) -> tuple[CreditGrantBalance, ...]:
    """Return what is left of the grants of one provider after credits were used, soonest expiry first.

    A credit used on a day draws on grants that have not expired by then, the soonest expiry first. What exceeds
    them all is dropped: a grant cannot fall below zero. A negative amount (a reversed credit) gives back to the
    grant that expires last.
    """
    left = sorted(grants, key=lambda grant: (grant.expires_on, grant.remaining))
    for day, amount in used:
        if amount < 0 and left:
            left[-1] = replace(left[-1], remaining=left[-1].remaining - amount)
            continue
        for place, grant in enumerate(left):
            if grant.expires_on < day:
                continue
            drawn = min(grant.remaining, amount)
            left[place] = replace(grant, remaining=grant.remaining - drawn)
            amount -= drawn
            if amount <= ZERO:
                break
    return tuple(left)


@dataclass(frozen=True, slots=True)
class GrantExpiry:
    """A lump that is gone at once.

    Attributes:
        day: the last day on which it could be used; from the next one it is gone.
        amount: what was left of the grant at the end of that day. For a day that is still to come: what is left if
            nothing more is used.
    """

    provider: str
    day: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class GrantLine:
    """What is left of one grant at the end of each day of its curve: nothing before it was stated.

    Attributes:
        stated: the most that was ever stated of it on one of the days or before.
    """

    expires_on: date
    stated: Decimal
    remaining: tuple[Decimal, ...]


@dataclass(frozen=True, slots=True)
class CreditGrantCurve:
    """What is left of one provider's grants, day by day.

    Attributes:
        days: consecutive.
        remaining: at the end of each day, of all grants that can be used on that day.
        expiries: those that fall on one of the days; the curve steps down on the day after.
        grants: each by itself, soonest expiry first; on every day they sum to `remaining`.
    """

    provider: str
    days: tuple[date, ...]
    remaining: tuple[Decimal, ...]
    expiries: tuple[GrantExpiry, ...]
    grants: tuple[GrantLine, ...] = ()


def grant_curve(
    provider: str,
    *,
    statements: Mapping[date, Sequence[CreditGrantBalance]],
    used: Iterable[tuple[date, Decimal]],
    start: date,
    end: date,
) -> CreditGrantCurve:
    """Return what is left on every day of [start, end): the last statement, drawn down by later use.

    Args:
        statements: {day: the grants as somebody stated them at the end of it}. Before the first there is nothing.
        used: (day, credits used on it), in any order.
    """
    use_of: dict[date, list[tuple[date, Decimal]]] = {}
    for day, amount in used:
        use_of.setdefault(day, []).append((day, amount))
    grants: tuple[CreditGrantBalance, ...] = ()
    remaining: list[Decimal] = []
    lines: dict[date, list[Decimal]] = {}
    expiries: list[GrantExpiry] = []
    day = min((*statements, start))
    while day < end:
        if day in statements:
            grants = tuple(statements[day])
        elif day in use_of:
            grants = draw_down(grants, used=use_of[day])
        usable = [grant for grant in grants if grant.expires_on >= day]
        if day >= start:
            for grant in usable:
                line = lines.setdefault(grant.expires_on, [])
                line.extend([ZERO] * (len(remaining) + 1 - len(line)))
                line[-1] += grant.remaining
            remaining.append(sum((grant.remaining for grant in usable), ZERO))
            expiries += [
                GrantExpiry(provider, day, grant.remaining)
                for grant in usable
                if grant.expires_on == day and grant.remaining > 0
            ]
        day += timedelta(days=1)
    days = tuple(start + timedelta(days=number) for number in range(len(remaining)))
    return CreditGrantCurve(
        provider,
        days,
        tuple(remaining),
        tuple(expiries),
        tuple(
            GrantLine(
                expires_on,
                max(
                    sum((grant.remaining for grant in said if grant.expires_on == expires_on), ZERO)
                    for said in statements.values()
                ),
                tuple(line + [ZERO] * (len(days) - len(line))),
            )
            for expires_on, line in sorted(lines.items())
        ),
    )
