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
from ledger.domain.own_transfers import OwnTransfer, Side, foreign_moves
from ledger.selectors.balances import cash_by_currency
from ledger.selectors.fx import rate

ZERO = Decimal(0)
ONE_DAY = timedelta(days=1)

_FLOWS = """
    SELECT f.day, f.currency, sum(CASE WHEN f.direction = 'in' THEN f.amount ELSE -f.amount END),
           sum(CASE WHEN f.direction = 'in' THEN f.base_amount ELSE -f.base_amount END)
    FROM ledger_dailyflow f JOIN ledger_account a ON a.id = f.account_id
    WHERE f.company_id = %(company)s AND f.currency <> %(base)s AND f.day < %(before)s
      AND f.event_type NOT IN ('credit', 'transfer') AND a.kind IN ('bank', 'card', 'processor')
      AND EXISTS (SELECT FROM ledger_accountday d WHERE d.company_id = %(company)s AND d.currency <> %(base)s)
    GROUP BY f.day, f.account_id, f.currency, f.event_type, f.direction, f.category, f.counterparty
    ORDER BY f.day, f.currency
"""
_TRANSFERS = """
    SELECT f.day, f.currency, f.direction, sum(f.amount), sum(f.base_amount)
    FROM ledger_accountday f JOIN ledger_account a ON a.id = f.account_id
    WHERE f.company_id = %s AND f.currency <> %s AND f.day < %s AND f.event_type = 'transfer'
      AND a.kind IN ('bank', 'card', 'processor')
    GROUP BY f.day, f.currency, f.direction
"""
# Both sides of what is matched, as far as the sums have come. A part of a split event has a side of its own.
_MATCHED = """
    SELECT (o.occurred_at AT TIME ZONE k.timezone)::date, o.currency, o.amount, o.base_amount,
           o.position <= k.position,
           (i.occurred_at AT TIME ZONE k.timezone)::date, i.currency, i.amount, i.base_amount,
           i.position <= k.position
    FROM ledger_dailyflowcursor k
    JOIN ledger_transfermatch m ON m.company_id = k.company_id AND m.ended_at IS NULL
    JOIN ledger_transferleg o
      ON o.company_id = m.company_id AND o.position = m.out_position AND o.part = m.out_part
    JOIN ledger_transferleg i
      ON i.company_id = m.company_id AND i.position = m.in_position AND i.part = m.in_part
    WHERE k.company_id = %(company)s AND NOT o.reversed AND NOT i.reversed
      AND (o.currency <> %(base)s OR i.currency <> %(base)s)
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
    was worth on the day before. A transfer whose other side has the same currency realises nothing; one whose
    other side has another is a conversion; one without another side yet counts as paid, at its own value.

    Reads the daily sums and what the matcher matched: call `catch_up` first.
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
        cursor.execute(_FLOWS, {"company": company_id, "base": base_currency, "before": before})
        moves = [ForeignMove(*row) for row in cursor.fetchall() if row[2]]
        cursor.execute(_TRANSFERS, [company_id, base_currency, before])
        waiting = {tuple(key): (amount, base) for *key, amount, base in cursor.fetchall()}
        cursor.execute(_MATCHED, {"company": company_id, "base": base_currency})
        for *out, is_out_summed, in_day, in_currency, in_amount, in_base, is_in_summed in cursor.fetchall():
            if not (is_out_summed and is_in_summed):
                continue
            transfer = OwnTransfer(Side(*out), Side(in_day, in_currency, in_amount, in_base))
            moves += [move for move in foreign_moves(transfer, base_currency=base_currency) if move.day < before]
            for side, direction in ((transfer.leaving, "out"), (transfer.arriving, "in")):
                key = (side.day, side.currency, direction)
                if key in waiting:
                    amount, base = waiting[key]
                    waiting[key] = (amount - side.amount, base - side.base_amount)
    signs = {"in": 1, "out": -1}
    moves += [
        ForeignMove(day, currency, signs[direction] * amount, signs[direction] * base)
        for (day, currency, direction), (amount, base) in waiting.items()
        if amount
    ]
    return sorted(moves, key=lambda move: (move.day, move.currency, move.amount))


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
