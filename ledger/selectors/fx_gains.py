"""Gains on foreign money, computed anew from the journal's daily sums each time: nothing of them is stored."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db import connection

from ledger.domain.fx import UnknownRate
from ledger.domain.fx_gains import ForeignMove, Pool, Pools, follow, unrealised
from ledger.domain.money import convert
from ledger.domain.own_transfers import TransferLeg, conversions
from ledger.selectors.balances import cash_by_currency
from ledger.selectors.fx import rate

ZERO = Decimal(0)
ONE_DAY = timedelta(days=1)

_MOVES = """
    SELECT f.day, f.account_id, f.currency, f.event_type = 'transfer',
           sum(CASE WHEN f.direction = 'in' THEN f.amount ELSE -f.amount END),
           sum(CASE WHEN f.direction = 'in' THEN f.base_amount ELSE -f.base_amount END)
    FROM ledger_dailyflow f JOIN ledger_account a ON a.id = f.account_id
    WHERE f.company_id = %s AND f.currency <> %s AND f.day < %s AND f.event_type <> 'credit'
      AND a.kind IN ('bank', 'card', 'processor')
    GROUP BY f.day, f.account_id, f.currency, f.event_type, f.direction, f.category, f.counterparty
    ORDER BY f.day, f.account_id, f.currency
"""


@dataclass(frozen=True, slots=True)
class CurrencyPool:
    """Foreign money at the end of the last day asked for.

    Attributes:
        cost: in base currency, at average.
        unrealised: None when no rate is published for the currency.
    """

    currency: str
    amount: Decimal
    cost: Decimal
    unrealised: Decimal | None


@dataclass(frozen=True, slots=True)
class FxGains:
    """Gains in base currency, losses below zero. They are no cash flow: no sum of flows holds them, nor burn.

    Attributes:
        days: consecutive.
        realised: of each day.
        unrealised: what all pools are worth more than they cost at the end of each day.
        pools: by currency.
        unpriced: currencies without a published rate on one of the days; on those they count at cost.
    """

    days: tuple[date, ...]
    realised: tuple[Decimal, ...]
    unrealised: tuple[Decimal, ...]
    pools: tuple[CurrencyPool, ...]
    unpriced: tuple[str, ...]


def fx_gains(*, company_id: int, base_currency: str, start: date, end: date) -> FxGains:
    """Return realised and unrealised gains for every day of [start, end).

    A payment counts with the base amount it was recorded with: at the provider's own rate where it named one, else
    at the ECB's. Foreign money that was there before the first event (a stated balance, rolled back) costs what it
    was worth on the day before. A transfer whose counterpart is on another own account realises nothing.

    Reads the daily sums: call `catch_up` first.
    """
    moves = _moves(company_id, base_currency, end)
    pools = _opening(company_id, base_currency, moves)
    pools, _ = _step(pools, (move for move in moves if move.day < start))
    by_day: dict[date, list[ForeignMove]] = defaultdict(list)
    for move in moves:
        by_day[move.day].append(move)
    days, realised_on, unrealised_on = [], [], []
    unpriced: set[str] = set()
    day = start
    while day < end:
        pools, gained = _step(pools, by_day.get(day, ()))
        days.append(day)
        realised_on.append(gained)
        unrealised_on.append(_unrealised(pools, base_currency, day, unpriced))
        day += ONE_DAY
    return FxGains(
        days=tuple(days),
        realised=tuple(realised_on),
        unrealised=tuple(unrealised_on),
        pools=tuple(
            CurrencyPool(currency, pool.amount, pool.cost, _gain(pool, currency, base_currency, end - ONE_DAY))
            for currency, pool in sorted(pools.items())
        ),
        unpriced=tuple(sorted(unpriced)),
    )


def _step(pools: dict[str, Pool], moves: Iterable[ForeignMove]) -> tuple[dict[str, Pool], Decimal]:
    followed: Pools = follow(moves, opening=pools)
    return dict(followed.pools), sum((gain.gain for gain in followed.realised), ZERO)


def _moves(company_id: int, base_currency: str, before: date) -> list[ForeignMove]:
    with connection.cursor() as cursor:
        cursor.execute(_MOVES, [company_id, base_currency, before])
        rows = [row for row in cursor.fetchall() if row[4]]
    transfers = [row for row in rows if row[3]]
    legs = [TransferLeg(day, account, currency, amount) for day, account, currency, _, amount, _ in transfers]
    kept = [row for row in rows if not row[3]] + [transfers[place] for place in conversions(legs)]
    return sorted(
        (ForeignMove(day, currency, amount, base) for day, _, currency, _, amount, base in kept),
        key=lambda move: move.day,
    )


def _opening(company_id: int, base_currency: str, moves: list[ForeignMove]) -> dict[str, Pool]:
    if not moves:
        return {}
    eve = moves[0].day - ONE_DAY
    opening = {}
    for currency, amount in cash_by_currency(company_id=company_id, at=eve).items():
        if currency != base_currency and amount:
            try:
                worth = convert(amount, rate=rate(currency=currency, base=base_currency, on=eve).rate)
            except UnknownRate:
                # Nobody knows what it cost; what it is paid for will be gain.
                worth = ZERO
            opening[currency] = Pool(amount, worth)
    return opening


def _unrealised(pools: dict[str, Pool], base_currency: str, day: date, unpriced: set[str]) -> Decimal:
    total = ZERO
    for currency, pool in pools.items():
        gain = _gain(pool, currency, base_currency, day)
        if gain is None:
            unpriced.add(currency)
        else:
            total += gain
    return total


def _gain(pool: Pool, currency: str, base_currency: str, day: date) -> Decimal | None:
    if not pool.amount:
        return -pool.cost
    try:
        return unrealised(pool, rate=rate(currency=currency, base=base_currency, on=day).rate)
    except UnknownRate:
        return None
