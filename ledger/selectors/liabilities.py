"""What a forecast must know of the ledger's liabilities, for one cheap question where there are none."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import accumulate
from zoneinfo import ZoneInfo

from django.db import connection

from ledger.domain.liabilities import Liabilities, TaxDue
from ledger.selectors.owed_revenue import OwedRevenue, owed_revenue
from ledger.selectors.restricted_cash import CUSTOMER_DEPOSIT, EMPLOYER_TAXES, MOST_DAYS_HELD, PAYROLL_TAX

ZERO = Decimal(0)
ONE_DAY = timedelta(days=1)

# Whether anybody states what is unearned, whether anything is dated later, and the days of deposits.
_STATED = """
    SELECT 'periods', NULL::date, 0
    WHERE EXISTS (SELECT FROM ledger_serviceperiod WHERE company_id = %(company)s)
       OR EXISTS (SELECT FROM ledger_settledinvoice WHERE company_id = %(company)s AND (used > 0 OR overpaid > 0))
    UNION ALL
    SELECT 'ahead', NULL, 0
    WHERE EXISTS (SELECT FROM ledger_dailyflow WHERE company_id = %(company)s AND day > %(at)s)
    UNION ALL
    SELECT 'deposit', f.day, sum(CASE WHEN f.direction = 'in' THEN f.base_amount ELSE -f.base_amount END)
    FROM ledger_dailyflow f JOIN ledger_account a ON a.id = f.account_id
    WHERE f.company_id = %(company)s AND f.category = %(deposit)s AND f.day <= %(at)s AND f.event_type <> 'credit'
      AND a.kind IN ('bank', 'card', 'processor')
    GROUP BY f.day
    HAVING sum(CASE WHEN f.direction = 'in' THEN f.base_amount ELSE -f.base_amount END) <> 0
"""
# Taxes as `restricted_cash` tells them, by the day on which they leave. Instants are constants, so that no
# other month is planned for.
_TAXES = """
    SELECT (e.occurred_at AT TIME ZONE %(timezone)s)::date, e.currency, sum(e.base_amount),
           coalesce(e.metadata ->> 'line', '') <> %(employer)s
    FROM ledger_capitalevent e
    JOIN ledger_account a ON a.id = e.account_id
    WHERE e.company_id = %(company)s AND e.category = %(payroll_tax)s AND e.event_type = 'expense'
      AND e.reverses IS NULL AND a.kind IN ('bank', 'card', 'processor')
      AND e.occurred_at >= %(first)s AND e.occurred_at < %(before)s
      AND e.metadata ->> 'check_date' ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'
      AND e.metadata ->> 'check_date' <= %(at)s::date::text
      AND EXISTS (
          SELECT FROM ledger_externalobject o
          WHERE o.company_id = e.company_id AND o.account_id = e.account_id AND o.source = e.source
            AND o.event_type = e.event_type AND o.direction = e.direction AND o.external_ref = e.external_ref
            AND o.twin = CASE e.external_ref WHEN '' THEN e.event_id ELSE ''::bytea END
            AND o.event_id = e.event_id AND NOT o.reversed
      )
    GROUP BY 1, 2, 4
    ORDER BY 1, 2, 4
"""


def liabilities(*, company_id: int, timezone: str, at: date, days: int) -> Liabilities | None:
    """Return what the ledger states of liabilities at the end of a day; None where it states nothing.

    What is unearned is told for everything as soon as one service period or used balance is stated: contracts by
    their terms, as `deferred_revenue` does. What came after the day is not looked at.

    Reads the daily sums: call `ledger.services.daily_flows.catch_up` first.

    Args:
        timezone: of the company; decides what a day is.
        days: how many days the curve of before has, the day itself included; at least one.
    """
    with connection.cursor() as cursor:
        cursor.execute(_STATED, {"company": company_id, "at": at, "deposit": CUSTOMER_DEPOSIT})
        rows = cursor.fetchall()
    stated = {kind for kind, *_ in rows}
    taxes = _taxes(company_id=company_id, timezone=timezone, at=at) if "ahead" in stated else ()
    if not taxes and not stated & {"periods", "deposit"}:
        return None
    first = at - timedelta(days=days - 1)
    deposits = _deposits([(day, amount) for kind, day, amount in rows if kind == "deposit"], first, days)
    revenue = None
    if "periods" in stated:
        revenue = owed_revenue(company_id=company_id, timezone=timezone, start=first, end=at + ONE_DAY)
    return Liabilities(
        release=None if revenue is None else revenue.release,
        in_credit=ZERO if revenue is None else revenue.in_credit[-1],
        deposits=deposits[-1],
        taxes=taxes,
        owed_before=deposits if revenue is None else _together(deposits, revenue),
    )


def _taxes(*, company_id: int, timezone: str, at: date) -> tuple[TaxDue, ...]:
    zone = ZoneInfo(timezone)
    with connection.cursor() as cursor:
        cursor.execute(
            _TAXES,
            {
                "company": company_id,
                "timezone": timezone,
                "at": at,
                "first": datetime.combine(at + ONE_DAY, time(), zone),
                "before": datetime.combine(at + timedelta(days=1 + MOST_DAYS_HELD), time(), zone),
                "payroll_tax": PAYROLL_TAX,
                "employer": EMPLOYER_TAXES,
            },
        )
        return tuple(TaxDue(*row) for row in cursor.fetchall())


def _deposits(moves: Sequence[tuple[date, Decimal]], first: date, days: int) -> tuple[Decimal, ...]:
    """What was held at the end of each day. More given back than received is no claim."""
    moved = [ZERO] * days
    for day, amount in moves:
        moved[max((day - first).days, 0)] += amount
    return tuple(max(held, ZERO) for held in accumulate(moved))


def _together(deposits: Sequence[Decimal], revenue: OwedRevenue) -> tuple[Decimal, ...]:
    return tuple(
        held + unearned + in_credit
        for held, unearned, in_credit in zip(deposits, revenue.unearned, revenue.in_credit, strict=True)
    )
