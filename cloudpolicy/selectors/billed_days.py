"""Of which days the bills in force speak."""

from datetime import date, timedelta
from typing import Any

from django.db import connection

from cloudpolicy.selectors.usage_type import HOURS

# A charge for several days speaks of all of them once they were over when the bill came: before, it says what was
# charged so far. Taxes and fees are dated at the ends of a month; what was used says how far a delivery goes.
_IS_WHOLE = "(l.until <= (b.imported_at AT TIME ZONE 'UTC')::date)"
_LINES = """
    FROM ledger_cloudbillline l
    JOIN ledger_cloudbill b ON b.id = l.bill_id AND b.company_id = l.company_id AND b.state = 'current'
    WHERE l.company_id = %(company)s AND (l.day >= %(start)s OR l.until > %(start)s) AND l.day < %(stop)s
      AND l.charge_type = 'usage'
"""
_SPANS = """
    SELECT min(l.day), max(CASE WHEN @whole THEN l.until ELSE l.day + 1 END) @lines GROUP BY l.bill_id
""".replace("@whole", _IS_WHOLE).replace("@lines", _LINES)
# What instances cost on these days is not known yet, whatever else is.
_UNFINISHED = """
    SELECT DISTINCT l.day, l.until @lines AND lower(l.unit) = ANY (%(hours)s) AND NOT @whole
""".replace("@whole", _IS_WHOLE).replace("@lines", _LINES)


def billed_days(*, company_id: int, start: date, stop: date) -> frozenset[date]:
    """The UTC days of `[start, stop)` between the first and the last day of usage of one bill or another.

    A day without usage within a bill is billed: it cost nothing. One before its first or after its last line is
    not: the bill was delivered before, or begins later. Nor is one within a charge for instance-hours of several
    days that were not over when the bill was delivered.
    """
    asked: dict[str, Any] = {"company": company_id, "start": start, "stop": stop, "hours": list(HOURS)}
    with connection.cursor() as cursor:
        cursor.execute(_SPANS, asked)
        spoken_of = _days_of(cursor.fetchall())
        cursor.execute(_UNFINISHED, asked)
        unfinished = _days_of(cursor.fetchall())
    return frozenset(day for day in spoken_of - unfinished if start <= day < stop)


def _days_of(spans: list[tuple[date, date]]) -> set[date]:
    return {first + timedelta(days=place) for first, until in spans for place in range((until - first).days)}
