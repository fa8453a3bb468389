"""Money that only moved between the company's own accounts, told by its two legs."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

# Banks take up to a week over holidays.
MOST_DAYS_UNDER_WAY = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class TransferLeg:
    """Attributes:
    account: any name for it.
    amount: signed, in `currency`.
    """

    day: date
    account: int
    currency: str
    amount: Decimal


def conversions(legs: Sequence[TransferLeg]) -> list[int]:
    """Return the places in `legs` of those without a counterpart: there money became another currency, or left.

    A counterpart has the same currency and the opposite amount, on another account, at most a week away; of
    several the nearest day is taken.
    """
    waiting: dict[tuple[str, Decimal], list[int]] = defaultdict(list)
    alone: set[int] = set()
    for place in sorted(range(len(legs)), key=lambda place: legs[place].day):
        leg = legs[place]
        counterparts = waiting[leg.currency, -leg.amount]
        # Those that wait came in the order of their days, so the last one is the nearest.
        match = next(
            (
                other
                for other in reversed(counterparts)
                if legs[other].account != leg.account and leg.day - legs[other].day <= MOST_DAYS_UNDER_WAY
            ),
            None,
        )
        if match is None:
            waiting[leg.currency, leg.amount].append(place)
            alone.add(place)
        else:
            counterparts.remove(match)
            alone.discard(match)
    return sorted(alone)
