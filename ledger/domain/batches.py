"""Finding what moved in one piece on one account and in several on another: payouts that arrive as one deposit.

A batch is a sum, and sums coincide: it is matched without asking only where nothing else could be meant.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from ledger.domain.transfer_matching import EARLIEST_ARRIVAL, LATEST_ARRIVAL, SURE_ARRIVAL, Leg, know_each_other

MAX_MEMBERS = 8
# Of more legs than these, the nearest in time are looked at: 2^14 sums at most for each.
MAX_CANDIDATES = 14
# Of this many legs, 2^8 sums are too few to hit an amount by chance; with more, a person is asked.
SURE_CANDIDATES = 8
MAX_SUGGESTED = 2
MAX_SUMS = 16
# Branches of one search.
MAX_LOOKS = 20_000


@dataclass(frozen=True, slots=True)
class Batch:
    """One leg that is several others together.

    Attributes:
        many: all on one account, other than that of `one`; by time. Their amounts add up to its amount.
        sure: nothing else could be meant, so it is matched without asking; otherwise a person decides.
    """

    one: Leg
    many: tuple[Leg, ...]
    sure: bool

    @property
    def name(self) -> str:
        """Tells batches apart."""
        return "-".join([self.one.name, *sorted(leg.name for leg in self.many)])


def find_batches(legs: Iterable[Leg]) -> tuple[Batch, ...]:
    """Return the batches among legs that wait, by the key of the one; at most MAX_SUGGESTED for each.

    Of one currency, to the last digit, within the window of a transfer. A batch is sure when its one has no other
    solution, none of its legs may be in another batch, and names or types leave no doubt that all are transfers.
    The order of `legs` does not matter.
    """
    ordered = sorted(legs, key=_by_time)
    times = [leg.occurred_at for leg in ordered]
    uses: Counter[str] = Counter()
    found: list[Batch] = []
    for one in ordered:
        if one.part:
            continue
        suggested: list[Batch] = []
        first = bisect_left(times, one.occurred_at - LATEST_ARRIVAL)
        last = bisect_right(times, one.occurred_at + LATEST_ARRIVAL)
        for candidates in _candidates(one, ordered[first:last]):
            batches, used = _batches_of(one, candidates)
            suggested += batches
            uses.update(used)
        found += suggested[:MAX_SUGGESTED]
    return tuple(
        Batch(batch.one, batch.many, batch.sure and all(uses[leg.name] == 1 for leg in (batch.one, *batch.many)))
        for batch in sorted(found, key=lambda batch: (batch.one.key, batch.name))
    )


def _by_time(leg: Leg) -> tuple[datetime, int, int]:
    return leg.occurred_at, leg.key, leg.part


def _candidates(one: Leg, legs: Sequence[Leg]) -> Iterator[list[Leg]]:
    """What may be part of it, account by account, the nearest in time first."""
    by_account: dict[int, list[Leg]] = defaultdict(list)
    for leg in legs:
        if _may_belong(one, leg):
            by_account[leg.account_id].append(leg)
    for _, candidates in sorted(by_account.items()):
        yield sorted(candidates, key=lambda leg: (abs(leg.occurred_at - one.occurred_at), leg.key, leg.part))


def _batches_of(one: Leg, candidates: Sequence[Leg]) -> tuple[list[Batch], list[str]]:
    """Return the batches that the candidates make up, and the legs that each of them uses.

    Where not everything was looked at, every candidate counts as used by something else as well. A candidate alone
    is smaller than the one, so a sum has at least two.
    """
    few = len(candidates) <= SURE_CANDIDATES
    sums, complete = _sums(candidates[:MAX_CANDIDATES], one.amount)
    complete = complete and len(candidates) <= MAX_CANDIDATES
    batches = [Batch(one, tuple(sorted(many, key=_by_time)), few and _are_sure(one, many)) for many in sums]
    used = [leg.name for batch in batches for leg in (one, *batch.many)]
    if not complete:
        used += [leg.name for leg in (one, *candidates)]
    return batches, used


def _may_belong(one: Leg, leg: Leg) -> bool:
    out, into = (one, leg) if one.direction == "out" else (leg, one)
    return (
        leg.direction != one.direction
        and leg.account_id != one.account_id
        and leg.currency == one.currency
        and leg.amount < one.amount
        and (one.is_transfer or leg.is_transfer)
        and EARLIEST_ARRIVAL <= into.occurred_at - out.occurred_at <= LATEST_ARRIVAL
    )


def _are_sure(one: Leg, many: Sequence[Leg]) -> bool:
    for leg in many:
        out, into = (one, leg) if one.direction == "out" else (leg, one)
        if into.occurred_at - out.occurred_at > SURE_ARRIVAL:
            return False
        if not (one.is_transfer and leg.is_transfer) and not know_each_other(out, into):
            return False
    return True


def _sums(candidates: Sequence[Leg], amount: Decimal) -> tuple[list[tuple[Leg, ...]], bool]:
    """Return choices of candidates that add up to the amount, the nearest first, and whether these are all."""
    # What is left from each place on: a branch that cannot reach the amount any more is not followed.
    left = [Decimal(0)] * (len(candidates) + 1)
    for place in reversed(range(len(candidates))):
        left[place] = left[place + 1] + candidates[place].amount
    found: list[tuple[Leg, ...]] = []
    looks = 0

    def follow(place: int, missing: Decimal, chosen: tuple[Leg, ...]) -> bool:
        nonlocal looks
        looks += 1
        if looks > MAX_LOOKS or len(found) > MAX_SUMS:
            return False
        if missing == 0:
            found.append(chosen)
            return True
        if missing < 0 or missing > left[place] or len(chosen) == MAX_MEMBERS:
            return True
        taken = follow(place + 1, missing - candidates[place].amount, (*chosen, candidates[place]))
        return taken and follow(place + 1, missing, chosen)

    complete = follow(0, amount, ())
    return found[:MAX_SUMS], complete
