"""What the ledger alone can say is doubtful in its own data: see `ledger.domain.data_warning`."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from itertools import starmap
from zoneinfo import ZoneInfo

from django.db import connection

from ledger.domain.completeness import SILENT
from ledger.domain.data_warning import (
    PAYROLL,
    DataWarning,
    MonthOfFlows,
    burn_warnings,
    payroll_warning,
    silence_warning,
)
from ledger.domain.month import months_after
from ledger.selectors.account_books import AccountBook, account_books

# Older months have been reported and explained.
MONTHS_LOOKED_AT = 13
MAX_WARNINGS = 12

_FLOWS = """
    SELECT date_trunc('month', f.day)::date, f.category, f.counterparty,
           coalesce(sum(f.base_amount) FILTER (WHERE f.direction = 'out'), 0),
           coalesce(sum(f.base_amount) FILTER (WHERE f.direction = 'in'), 0),
           a.kind IN ('bank', 'card', 'processor')
    FROM ledger_dailyflow f JOIN ledger_account a ON a.id = f.account_id
    WHERE f.company_id = %s AND f.day >= %s AND f.day <= %s AND f.event_type IN ('expense', 'adjustment', 'income')
    GROUP BY 1, 2, 3, 6
"""


def data_warnings(*, company_id: int, timezone: str, now: datetime) -> tuple[DataWarning, ...]:
    """Return what is doubtful in a company's data: silence first, then payroll, then months, the latest first.

    Reads the daily sums and what the matcher found: call `ledger.services.daily_flows.catch_up` first.

    Args:
        timezone: the company's; decides what today is.
    """
    today = now.astimezone(ZoneInfo(timezone)).date()
    books = account_books(company_id=company_id, timezone=timezone, now=now)
    flows = month_flows(company_id=company_id, until=today)
    found = [*_silence(books), *_payroll(flows, today), *burn_warnings(flows)]
    return tuple(found[:MAX_WARNINGS])


def month_flows(*, company_id: int, until: date) -> tuple[MonthOfFlows, ...]:
    """Return what moved in each of the last months up to a day, per category and counterparty."""
    first = months_after(until.replace(day=1), 1 - MONTHS_LOOKED_AT)
    with connection.cursor() as cursor:
        cursor.execute(_FLOWS, [company_id, first, until])
        return tuple(starmap(MonthOfFlows, cursor.fetchall()))


def _silence(books: Iterable[AccountBook]) -> Iterable[DataWarning]:
    for book in books:
        habits = book.rhythm
        if book.account_id is None or habits.last_day is None:
            continue
        if habits.state == SILENT and not book.is_idle:
            yield silence_warning(
                account=book.name,
                source="",
                last_day=habits.last_day,
                quiet_days=habits.quiet_days,
                usual_quiet_days=habits.usual_quiet_days,
            )
        for feed in book.silent_feeds:
            yield silence_warning(
                account=book.name,
                source=feed.source,
                last_day=feed.last_day,
                quiet_days=feed.quiet_days,
                usual_quiet_days=feed.usual_quiet_days,
            )


def _payroll(flows: Iterable[MonthOfFlows], today: date) -> Iterable[DataWarning]:
    paid: dict[date, Decimal] = defaultdict(Decimal)
    for flow in flows:
        if flow.category.casefold().startswith(PAYROLL):
            paid[flow.month] += flow.spent
    warning = payroll_warning(paid, this_month=today.replace(day=1))
    if warning is not None:
        yield warning
