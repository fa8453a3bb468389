"""Balances at an instant, on either clock: when it happened, and when we knew it."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from ledger.domain.account import CASH_KINDS
from ledger.domain.account_balance import AccountBalance
from ledger.domain.reconciliation import ZERO

# The first statement of each account and currency is its opening; of one said anew, the last revision.
_OPENINGS = """
    SELECT DISTINCT ON (account_id, currency) account_id, currency, day, amount
    FROM ledger_balancestatement
    WHERE company_id = %(company)s AND account_id IS NOT NULL
      AND (%(known_at)s::timestamptz IS NULL OR recorded_at <= %(known_at)s)
    ORDER BY account_id, currency, day, as_of IS NULL DESC, as_of DESC, recorded_at DESC, id DESC
"""
# Whole days from the sums; a vendor credit moves nothing. An opening counts from the end of its day.
_DAYS = """
    SELECT f.account_id, f.currency,
           sum(CASE WHEN f.direction = 'in' THEN f.amount ELSE -f.amount END) FILTER (WHERE f.day < %(today)s),
           sum(CASE WHEN f.direction = 'in' THEN f.amount ELSE -f.amount END) FILTER (WHERE f.day <= o.day)
    FROM ledger_accountday f
    LEFT JOIN unnest(%(accounts)s::bigint[], %(currencies)s::text[], %(days)s::date[])
           AS o (account_id, currency, day) USING (account_id, currency)
    WHERE f.company_id = %(company)s AND f.event_type <> 'credit'
    GROUP BY f.account_id, f.currency
"""
_PART_OF_DAY = """
    SELECT account_id, currency, sum(CASE WHEN direction = 'in' THEN amount ELSE -amount END)
    FROM ledger_capitalevent
    WHERE company_id = %(company)s AND event_type <> 'credit' AND position <= %(position)s
      AND occurred_at >= %(midnight)s AND occurred_at <= %(at)s
    GROUP BY account_id, currency
"""
# What was recorded after the instant of knowing, or (when that is less) everything that was known.
_BY_POSITION = """
    SELECT e.account_id, e.currency,
           sum(CASE WHEN e.direction = 'in' THEN e.amount ELSE -e.amount END)
               FILTER (WHERE e.occurred_at <= %(at)s),
           sum(CASE WHEN e.direction = 'in' THEN e.amount ELSE -e.amount END)
               FILTER (WHERE (e.occurred_at AT TIME ZONE %(timezone)s)::date <= o.day)
    FROM ledger_journal_between(%(company)s, %(after)s, %(until)s) e
    LEFT JOIN unnest(%(accounts)s::bigint[], %(currencies)s::text[], %(days)s::date[])
           AS o (account_id, currency, day) USING (account_id, currency)
    WHERE e.event_type <> 'credit'
    GROUP BY e.account_id, e.currency
"""
_RECORDED_AT = """
    SELECT recorded_at FROM ledger_journal_between(%(company)s, %(before)s, %(position)s)
"""

type _Key = tuple[int, str]


def position_known_at(*, company_id: int, known_at: datetime) -> int:
    """Return the position up to which the journal was known at an instant, 0 for none of it.

    Positions are the order of commits, and `recorded_at` is taken a moment before; the answer is a beginning of
    the journal, and later events never change it. It is found in the fixed steps of halving, 40 looks at most.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT position FROM ledger_journalhead WHERE company_id = %s", [company_id])
        found = cursor.fetchone()
        head = found[0] if found else 0
        position = 0
        for power in reversed(range(head.bit_length())):
            further = position + (1 << power)
            if further > head:
                continue
            cursor.execute(_RECORDED_AT, {"company": company_id, "before": further - 1, "position": further})
            if cursor.fetchone()[0] <= known_at:
                position = further
    return position


def account_balances(
    *, company_id: int, at: datetime, known_at: datetime | None = None
) -> tuple[AccountBalance, ...]:
    """Return what every account holds at an instant, per currency, by name.

    Args:
        at: aware; events up to and including this instant count.
        known_at: aware; only what was recorded by then counts, statements too. None: everything.

    Reads the daily sums: call `ledger.services.daily_flows.catch_up` first.
    """
    with connection.cursor() as cursor:
        timezone, summed_to = _summed_to(cursor, company_id)
        local = at.astimezone(ZoneInfo(timezone))
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        return _held(cursor, company_id, timezone, summed_to, local.date(), (midnight, at), known_at)


def closing_account_balances(
    *, company_id: int, day: date, known_at: datetime | None = None
) -> tuple[AccountBalance, ...]:
    """As `account_balances`, at the end of a day of the company's calendar: then no event need be looked at."""
    with connection.cursor() as cursor:
        timezone, summed_to = _summed_to(cursor, company_id)
        following = day + timedelta(days=1)
        midnight = datetime(following.year, following.month, following.day, tzinfo=ZoneInfo(timezone))
        last = midnight - timedelta(microseconds=1)
        return _held(cursor, company_id, timezone, summed_to, following, (midnight, last), known_at)


def _summed_to(cursor: Any, company_id: int) -> tuple[str, int]:
    """Return the company's time zone, and the position up to which its days are summed."""
    cursor.execute(
        """
        SELECT c.timezone, coalesce(k.position, 0) FROM ledger_company c
        LEFT JOIN ledger_dailyflowcursor k ON k.company_id = c.id WHERE c.id = %s
        """,
        [company_id],
    )
    timezone, summed_to = cursor.fetchone() or ("UTC", 0)
    return timezone, summed_to


def _held(
    cursor: Any,
    company_id: int,
    timezone: str,
    summed_to: int,
    before: date,
    part_of_day: tuple[datetime, datetime],
    known_at: datetime | None,
) -> tuple[AccountBalance, ...]:
    """Sum the days before a day, and of that day the part between two instants, both included."""
    cursor.execute(_OPENINGS, {"company": company_id, "known_at": known_at})
    openings: dict[_Key, tuple[date, Decimal]] = {
        (account_id, currency): (day, amount) for account_id, currency, day, amount in cursor.fetchall()
    }
    values = {
        "company": company_id,
        "at": part_of_day[1],
        "today": before,
        "midnight": part_of_day[0],
        "timezone": timezone,
        "position": summed_to,
        "accounts": [account_id for account_id, _ in openings],
        "currencies": [currency for _, currency in openings],
        "days": [day for day, _ in openings.values()],
    }
    position = (
        summed_to
        if known_at is None
        else min(summed_to, position_known_at(company_id=company_id, known_at=known_at))
    )
    if position * 2 < summed_to:
        moved = _by_position(cursor, {**values, "after": 0, "until": position})
    else:
        moved = _summed(cursor, values)
        if position < summed_to:
            unknown = _by_position(cursor, {**values, "after": position, "until": summed_to})
            moved = {
                key: (until - unknown.get(key, (ZERO, ZERO))[0], before - unknown.get(key, (ZERO, ZERO))[1])
                for key, (until, before) in moved.items()
            }
    cursor.execute("SELECT id, name, kind FROM ledger_account WHERE company_id = %s", [company_id])
    accounts = {number: (name, kind) for number, name, kind in cursor.fetchall()}
    return tuple(sorted(_balances(accounts, openings, moved), key=lambda each: (each.account, each.currency)))


def _summed(cursor: Any, values: dict[str, Any]) -> dict[_Key, tuple[Decimal, Decimal]]:
    """Return {account and currency: (moved until the instant, moved until the end of the opening's day)}."""
    cursor.execute(_DAYS, values)
    moved = {(account, currency): (until or ZERO, before or ZERO) for account, currency, until, before in cursor}
    if values["midnight"] > values["at"]:
        return moved
    cursor.execute(_PART_OF_DAY, values)
    for account, currency, amount in cursor.fetchall():
        until, before = moved.get((account, currency), (ZERO, ZERO))
        moved[account, currency] = (until + amount, before)
    return moved


def _by_position(cursor: Any, values: dict[str, Any]) -> dict[_Key, tuple[Decimal, Decimal]]:
    cursor.execute(_BY_POSITION, values)
    return {(account, currency): (until or ZERO, before or ZERO) for account, currency, until, before in cursor}


def _balances(
    accounts: dict[int, tuple[str, str]],
    openings: dict[_Key, tuple[date, Decimal]],
    moved: dict[_Key, tuple[Decimal, Decimal]],
) -> Iterable[AccountBalance]:
    for account_id, currency in openings.keys() | moved.keys():
        name, kind = accounts[account_id]
        until, before = moved.get((account_id, currency), (ZERO, ZERO))
        day, amount = openings.get((account_id, currency), (None, ZERO))
        yield AccountBalance(
            account_id=account_id,
            account=name,
            kind=kind,
            currency=currency,
            amount=amount + until - before if day is not None else until,
            opened_on=day,
            is_cash=kind in CASH_KINDS,
        )


def cash_at(balances: Iterable[AccountBalance]) -> dict[str, Decimal]:
    """Return the cash of a company per currency, over its bank, card and processor accounts."""
    sums: dict[str, Decimal] = {}
    for each in balances:
        if each.is_cash:
            sums[each.currency] = sums.get(each.currency, ZERO) + each.amount
    return dict(sorted(sums.items()))
