"""Finding the two legs of a transfer between own accounts, and of all ways to pair them the best.

Money that left one account and reached another was recorded twice, by two feeds that know nothing of each other. A
feed may have called its leg income or expense; one of the two must be a transfer by its own word.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np

from ledger.domain.counterparty import share_a_word

# Money arrives after it left; clocks and naive dates blur that by a day or two.
EARLIEST_ARRIVAL = timedelta(days=-2)
LATEST_ARRIVAL = timedelta(days=7)
# Between currencies: rates of the day against the rate that the bank gave, and its fee.
CONVERSION_TOLERANCE = Decimal("0.03")
SURE_CONVERSION = Decimal("0.015")
SURE_ARRIVAL = timedelta(days=5)
# A group of legs that could all be mixed up is solved at once; above this many it is cut by time first.
MAX_GROUP = 1200

_HOURS = 3600
# Costs are whole numbers, so that equal cases stay equal: hours apart, then what speaks against a pair.
_OTHER_WORD = 24 * 3
_STRANGER_NAME = 12
_PER_MILLE_OFF = 24
_BEFORE_IT_LEFT = 24


@dataclass(frozen=True, slots=True)
class Leg:
    """One side of what may be a transfer.

    Attributes:
        key: orders those of one instant: the event's position.
        part: of an event that was split, the number of this part; 0 is the whole of it.
        account_id, account, kind: where it was booked; kind is bank, card or processor.
        event_type: transfer, or what its feed took it for: income or expense.
        amount: positive, in `currency`; `base_amount` the same in the company's currency.
        stated_rate: at which it was converted, as its sender says, in either direction; None: not said.
    """

    key: int
    account_id: int
    account: str
    kind: str
    event_type: str
    direction: str
    amount: Decimal
    currency: str
    base_amount: Decimal
    occurred_at: datetime
    counterparty: str
    stated_rate: Decimal | None = None
    part: int = 0

    @property
    def is_transfer(self) -> bool:
        return self.event_type == "transfer"

    @property
    def name(self) -> str:
        """Tells legs apart."""
        return leg_name(self.key, self.part)


def leg_name(position: int, part: int = 0) -> str:
    """The leg of a whole event is named by its position, that of a part `position.part`."""
    return f"{position}.{part}" if part else f"{position}"


def read_leg_name(name: str) -> tuple[int, int]:
    """Return position and part.

    Raises:
        ValueError: the name is none.
    """
    position, dot, part = name.partition(".")
    if not (position.isdecimal() and len(position) < 19) or (dot and not (part.isdecimal() and len(part) < 5)):
        raise ValueError("is no side of a transfer")
    return int(position), int(part or 0)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two legs of one transfer.

    Attributes:
        sure: plain enough to be matched without asking; otherwise a person decides.
    """

    leaving: Leg
    arriving: Leg
    sure: bool


def match_legs(
    legs: Iterable[Leg], *, forbidden: Callable[[Leg, Leg], bool] = lambda _leaving, _arriving: False
) -> tuple[Pair, ...]:
    """Return the pairs that match as many legs as possible at the least cost, by the key of the leaving leg.

    Sure pairs first; what they leave over is paired by what may be. Cost is time between the two, a different
    amount after conversion, and names that know nothing of each other. The order of `legs` does not matter.

    Args:
        forbidden: pairs that a person has taken apart.
    """
    ordered = sorted(legs, key=lambda leg: (leg.occurred_at, leg.key, leg.part))
    leaving = [leg for leg in ordered if leg.direction == "out"]
    arriving = [leg for leg in ordered if leg.direction == "in"]
    costs = _possible(leaving, arriving, forbidden)
    sure = {pair: cost for pair, cost in costs.items() if _is_sure(leaving[pair[0]], arriving[pair[1]])}
    chosen = _choose(sure)
    outs, ins = {i for i, _ in chosen}, {j for _, j in chosen}
    perhaps = _choose({pair: costs[pair] for pair in costs if pair[0] not in outs and pair[1] not in ins})
    pairs = [Pair(leaving[i], arriving[j], sure=True) for i, j in chosen]
    pairs += [Pair(leaving[i], arriving[j], sure=False) for i, j in perhaps]
    return tuple(sorted(pairs, key=lambda pair: (pair.leaving.key, pair.leaving.part)))


def _possible(
    leaving: Sequence[Leg], arriving: Sequence[Leg], forbidden: Callable[[Leg, Leg], bool]
) -> dict[tuple[int, int], int]:
    """Return {(place of the leaving leg, place of the arriving leg): cost}; both are in the order of time."""
    costs: dict[tuple[int, int], int] = {}
    start = 0
    for i, out in enumerate(leaving):
        while start < len(arriving) and arriving[start].occurred_at < out.occurred_at + EARLIEST_ARRIVAL:
            start += 1
        for j in range(start, len(arriving)):
            if arriving[j].occurred_at > out.occurred_at + LATEST_ARRIVAL:
                break
            cost = _cost(out, arriving[j])
            if cost is not None and not forbidden(out, arriving[j]):
                costs[i, j] = cost
    return costs


def _choose(costs: dict[tuple[int, int], int]) -> list[tuple[int, int]]:
    return [pair for group in _groups(costs) for pair in _solve(group, costs)]


def _cost(out: Leg, into: Leg) -> int | None:
    """What speaks against the pair; None when it cannot be one."""
    if out.account_id == into.account_id or not (out.is_transfer or into.is_transfer):
        return None
    off = _off(out, into)
    if off is None:
        return None
    apart = int((into.occurred_at - out.occurred_at).total_seconds())
    cost = abs(apart) // _HOURS + int(off * 1000) * _PER_MILLE_OFF + (_BEFORE_IT_LEFT if apart < 0 else 0)
    if not (out.is_transfer and into.is_transfer):
        cost += _OTHER_WORD
    return cost if know_each_other(out, into) else cost + _STRANGER_NAME


def _off(out: Leg, into: Leg) -> Decimal | None:
    """By which share the amounts differ; None when they are no two sides of one thing."""
    if out.currency == into.currency:
        return Decimal(0) if out.amount == into.amount else None
    # A feed that called a leg of a conversion income would be a guess upon a guess.
    if not (out.is_transfer and into.is_transfer) or not out.base_amount:
        return None
    off = min([abs(out.base_amount - into.base_amount) / out.base_amount, *_off_the_stated_rates(out, into)])
    return off if off <= CONVERSION_TOLERANCE else None


def _off_the_stated_rates(out: Leg, into: Leg) -> Iterable[Decimal]:
    """What the sender did goes before what the day's rates were."""
    for rate in (out.stated_rate, into.stated_rate):
        if rate:
            yield abs(out.amount - into.amount * rate) / out.amount
            yield abs(out.amount * rate - into.amount) / into.amount


def know_each_other(out: Leg, into: Leg) -> bool:
    return (
        share_a_word(out.counterparty, into.account)
        or share_a_word(into.counterparty, out.account)
        or share_a_word(out.counterparty, into.counterparty)
    )


def _is_sure(out: Leg, into: Leg) -> bool:
    if into.occurred_at - out.occurred_at > SURE_ARRIVAL:
        return False
    if out.is_transfer and into.is_transfer:
        off = _off(out, into)
        return off is not None and off <= SURE_CONVERSION
    # Income is only taken for a payout on the word of its own bank statement.
    return know_each_other(out, into)


def _groups(costs: dict[tuple[int, int], int]) -> Iterable[list[tuple[int, int]]]:
    """Split possible pairs into groups that share no leg, and very large groups by time."""
    parent: dict[tuple[str, int], tuple[str, int]] = {}

    def root(node: tuple[str, int]) -> tuple[str, int]:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for i, j in costs:
        first, second = root(("out", i)), root(("in", j))
        parent[max(first, second)] = min(first, second)
    groups: dict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
    for i, j in costs:
        groups[root(("out", i))].append((i, j))
    for name in sorted(groups):
        yield sorted(groups[name])


def _solve(group: list[tuple[int, int]], costs: dict[tuple[int, int], int]) -> list[tuple[int, int]]:
    """The best pairs of a group. Legs are numbered by time: a group too large is cut between two days."""
    outs = sorted({i for i, _ in group})
    if len(outs) <= MAX_GROUP:
        return _best(group, costs)
    middle = outs[len(outs) // 2]
    first = _solve([pair for pair in group if pair[0] < middle], costs)
    taken = {j for _, j in first}
    return first + _solve([pair for pair in group if pair[0] >= middle and pair[1] not in taken], costs)


def _best(group: Sequence[tuple[int, int]], costs: dict[tuple[int, int], int]) -> list[tuple[int, int]]:
    """Solve the assignment: most pairs first, then the least cost."""
    # Not at the top: every process would begin a third of a second later, and few pair anything.
    from scipy.optimize import linear_sum_assignment

    if not group:
        return []
    rows, columns = sorted({i for i, _ in group}), sorted({j for _, j in group})
    if len(rows) == len(columns) == 1:
        return [(rows[0], columns[0])]
    row_of, column_of = ({number: n for n, number in enumerate(side)} for side in (rows, columns))
    # Dearer than any full set of pairs: leaving one out never pays.
    no_pair = (1 + max(costs[pair] for pair in group)) * (min(len(rows), len(columns)) + 1)
    matrix = np.full((len(rows), len(columns)), no_pair, dtype=np.int64)
    for i, j in group:
        matrix[row_of[i], column_of[j]] = costs[i, j]
    chosen = zip(*linear_sum_assignment(matrix), strict=True)
    return [(rows[r], columns[c]) for r, c in chosen if matrix[r, c] < no_pair]
