"""The moves of single days in the order of time, where their sum does not tell enough."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import connection

from ledger.domain.event import EVENT_TYPES
from ledger.models.source import Source

ONE_DAY = timedelta(days=1)

# A look into the index by source per day, source and type: no month is read as a whole.
_MOVES = """
    SELECT w.account_id, w.currency, w.day, e.occurred_at,
           CASE WHEN e.direction = 'in' THEN e.amount ELSE -e.amount END, e.event_id, e.reverses
    FROM unnest(%(accounts)s::bigint[], %(currencies)s::text[], %(days)s::date[], %(starts)s::timestamptz[],
                %(ends)s::timestamptz[]) AS w (account_id, currency, day, starts, ends)
    CROSS JOIN unnest(%(sources)s::text[]) AS s (source)
    CROSS JOIN unnest(%(types)s::text[]) AS t (event_type)
    CROSS JOIN LATERAL (
        SELECT * FROM ledger_capitalevent e
        WHERE e.company_id = %(company)s AND e.source = s.source AND e.event_type = t.event_type
          AND e.occurred_at >= w.starts AND e.occurred_at < w.ends
          AND e.account_id = w.account_id AND e.currency = w.currency
    ) e
    ORDER BY e.occurred_at, e.position
"""

# Account, currency and day.
type DayOfAccount = tuple[int, str, date]


def moves_within_days(
    *, company_id: int, timezone: str, wanted: Sequence[DayOfAccount]
) -> dict[DayOfAccount, list[tuple[datetime, Decimal]]]:
    """Return when and how much moved, signed, on each of the days; what was taken back is left out.

    Args:
        timezone: the company's; decides what a day is.
    """
    if not wanted:
        return {}
    zone = ZoneInfo(timezone)

    def midnight(day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=zone)

    found: dict[DayOfAccount, list[tuple[datetime, Decimal, bytes]]] = defaultdict(list)
    taken_back: set[bytes] = set()
    with connection.cursor() as cursor:
        cursor.execute(
            _MOVES,
            {
                "company": company_id,
                "accounts": [account_id for account_id, _, _ in wanted],
                "currencies": [currency for _, currency, _ in wanted],
                "days": [day for _, _, day in wanted],
                "starts": [midnight(day) for _, _, day in wanted],
                "ends": [midnight(day + ONE_DAY) for _, _, day in wanted],
                "sources": list(Source.objects.filter(company_id=company_id).values_list("name", flat=True)),
                "types": sorted(EVENT_TYPES - {"credit"}),
            },
        )
        for account_id, currency, day, occurred_at, amount, event_id, reverses in cursor.fetchall():
            if reverses is not None:
                taken_back.add(bytes(reverses))
            else:
                found[account_id, currency, day].append((occurred_at, amount, bytes(event_id)))
    return {
        key: [(at, amount) for at, amount, event_id in moves if event_id not in taken_back]
        for key, moves in found.items()
    }
