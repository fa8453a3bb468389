"""Suspected twins: one movement of money that two sources recorded, each as its own."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np

from ledger.domain.counterparty import share_a_word

NEAR = timedelta(days=3)
# Equal amounts of one account within days of each other, such as fares: more than these are not told apart.
MAX_ALIKE = 200
_STRANGERS_HOURS = 24
_NO_PAIR = 1_000_000


@dataclass(frozen=True, slots=True)
class Sighting:
    """An event as far as its twin can be told by it. `key` is its position."""

    key: int
    account_id: int
    source: str
    event_type: str
    direction: str
    amount: Decimal
    currency: str
    occurred_at: datetime
    counterparty: str


@dataclass(frozen=True, slots=True)
class Twins:
    """The same money twice, probably. `first` was recorded first."""

    first: Sighting
    second: Sighting


def suspected_twins(sightings: Iterable[Sighting]) -> tuple[Twins, ...]:
    """Return pairs of the same account, amount and direction, days apart at most, from two different sources.

    Two coffees on one side and two on the other are two pairs. Names that both say something and share no word
    speak against a pair, unless it happened within a day. The order of `sightings` does not matter.
    """
    alike: dict[tuple, dict[str, list[Sighting]]] = defaultdict(lambda: defaultdict(list))
    for each in sorted(sightings, key=lambda sighting: (sighting.occurred_at, sighting.key)):
        alike[each.account_id, each.direction, each.currency, each.amount][each.source].append(each)
    found: list[Twins] = []
    for by_source in alike.values():
        names = sorted(by_source)
        taken: set[int] = set()
        for place, one in enumerate(names):
            for other in names[place + 1 :]:
                found += _pairs(by_source[one], by_source[other], taken)
    return tuple(sorted(found, key=lambda twins: (twins.first.key, twins.second.key)))


def _pairs(ones: list[Sighting], others: list[Sighting], taken: set[int]) -> list[Twins]:
    # Not at the top: every process would begin a third of a second later, and few pair anything.
    from scipy.optimize import linear_sum_assignment

    left = [each for each in ones if each.key not in taken][:MAX_ALIKE]
    right = [each for each in others if each.key not in taken][:MAX_ALIKE]
    if not left or not right:
        return []
    costs = np.array([[_hours_apart(one, other) for other in right] for one in left], dtype=np.int64)
    pairs = []
    for row, column in zip(*linear_sum_assignment(costs), strict=True):
        if costs[row, column] < _NO_PAIR:
            first, second = sorted((left[row], right[column]), key=lambda each: each.key)
            taken |= {first.key, second.key}
            pairs.append(Twins(first, second))
    return pairs


def _hours_apart(one: Sighting, other: Sighting) -> int:
    apart = abs(one.occurred_at - other.occurred_at)
    if apart > NEAR:
        return _NO_PAIR
    hours = int(apart.total_seconds()) // 3600
    if one.counterparty and other.counterparty and not share_a_word(one.counterparty, other.counterparty):
        if apart > timedelta(days=1):
            return _NO_PAIR
        hours += _STRANGERS_HOURS
    return hours
