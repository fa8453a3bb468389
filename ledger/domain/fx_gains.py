"""Gains and losses on foreign money: realised when it is paid or converted, unrealised while it lies there.

All money of one currency is one pool at average cost, over all cash accounts of the company: a coin does not
remember where it came from, and moving it between own accounts gains nothing. Cost is what the money was worth in
base currency when it came in; what it was worth when it went out, less its cost, is the realised gain. What the
pool is worth today, less its cost, is the unrealised one. A pool below zero (an overdraft, a card) works alike.

Exact at every step: cost = base value that came in - base value that went out + realised gains. So realised and
unrealised together are what the pool is worth less what was paid for it. Neither is cash, and neither is burn.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from ledger.domain.money import MICRO, MONEY

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class ForeignMove:
    """Money of one currency that came in or went out on a day.

    Attributes:
        amount: signed, in `currency`; not zero.
        base_amount: what it was worth, signed like `amount`.
    """

    day: date
    currency: str
    amount: Decimal
    base_amount: Decimal


@dataclass(frozen=True, slots=True)
class Pool:
    """Money of one currency and what it cost. Both are below zero when it is owed.

    Attributes:
        cost: in base currency.
    """

    amount: Decimal = ZERO
    cost: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class RealisedGain:
    """Attributes:
    gain: in base currency; a loss is below zero.
    """

    day: date
    currency: str
    gain: Decimal


def moved(pool: Pool, *, amount: Decimal, base_amount: Decimal) -> tuple[Pool, Decimal]:
    """Return the pool after a move, and the gain that the move realised.

    Only what runs against the pool realises anything: it leaves at average cost. What goes beyond it opens the
    pool the other way round at its own value.

    Args:
        amount, base_amount: signed alike.
    """
    after = pool.amount + amount
    if pool.amount * amount >= 0:
        return Pool(after, pool.cost + base_amount), ZERO
    if after == 0:
        # All of it went: what is left of the cost is gain or loss, to the last digit.
        return Pool(), -(pool.cost + base_amount)
    if abs(amount) < abs(pool.amount):
        cost = _share(pool.cost, amount, pool.amount)
        return Pool(after, pool.cost + cost), cost - base_amount
    value = _share(base_amount, pool.amount, amount)
    return Pool(after, base_amount + value), value - pool.cost


def _share(whole: Decimal, part: Decimal, of: Decimal) -> Decimal:
    """whole x part / of, rounded once to six decimals."""
    product = MONEY.divide(MONEY.multiply(whole, part), of)
    return product.quantize(MICRO, rounding=ROUND_HALF_EVEN, context=MONEY)


@dataclass(frozen=True, slots=True)
class Pools:
    """All foreign money of a company, and what it has realised so far."""

    pools: Mapping[str, Pool]
    realised: tuple[RealisedGain, ...]


def follow(moves: Iterable[ForeignMove], *, opening: Mapping[str, Pool] | None = None) -> Pools:
    """Return the pools after moves in the order of their days; what comes in on a day comes before what goes out.

    Args:
        opening: pools before the first move.
    """
    pools = dict(opening or {})
    realised: list[RealisedGain] = []
    for move in sorted(moves, key=lambda move: (move.day, move.currency, move.amount < 0)):
        pools[move.currency], gain = moved(
            pools.get(move.currency, Pool()), amount=move.amount, base_amount=move.base_amount
        )
        if gain:
            realised.append(RealisedGain(move.day, move.currency, gain))
    return Pools(pools, tuple(realised))


def unrealised(pool: Pool, *, rate: Decimal) -> Decimal:
    """Return what a pool is worth more than it cost.

    Args:
        rate: base currency per unit.
    """
    return MONEY.multiply(pool.amount, rate).quantize(MICRO, context=MONEY) - pool.cost
