"""Vendor credits: granted, used up by bills, and gone on a day."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
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
