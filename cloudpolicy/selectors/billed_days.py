"""Of which days the bills in force speak."""

from datetime import date, timedelta

from django.db import connection

# Taxes and fees are dated at the ends of a month; what was used says how far a delivery goes.
_SPANS = """
    SELECT min(l.day), max(l.day) FROM ledger_cloudbillline l
    JOIN ledger_cloudbill b ON b.id = l.bill_id AND b.company_id = l.company_id AND b.state = 'current'
    WHERE l.company_id = %s AND l.day >= %s AND l.day < %s AND l.charge_type = 'usage'
    GROUP BY l.bill_id
"""


def billed_days(*, company_id: int, start: date, stop: date) -> frozenset[date]:
    """The UTC days of `[start, stop)` between the first and the last day of usage of one bill or another.

    A day without usage within a bill is billed: it cost nothing. One before its first or after its last line is
    not: the bill was delivered before, or begins later.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SPANS, [company_id, start, stop])
        spans = cursor.fetchall()
    return frozenset(
        first + timedelta(days=place) for first, last in spans for place in range((last - first).days + 1)
    )
