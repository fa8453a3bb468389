"""Cash that came and went per day, for a page: a range of the daily sums' key, however long the journal is."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import connection

_DAYS = """
    SELECT f.day, coalesce(sum(f.base_amount) FILTER (WHERE f.direction = 'in'), 0),
           coalesce(sum(f.base_amount) FILTER (WHERE f.direction = 'out'), 0)
    FROM ledger_accountday f JOIN ledger_account a ON a.id = f.account_id
    WHERE f.company_id = %s AND f.day >= %s AND f.day < %s
      AND f.event_type NOT IN ('credit', 'transfer') AND a.kind IN ('bank', 'card', 'processor')
    GROUP BY f.day HAVING bool_or(f.count <> 0 OR f.amount <> 0) ORDER BY f.day
"""


@dataclass(frozen=True, slots=True)
class CashDay:
    """Attributes:
    money_in, money_out: in the company's base currency, as converted when recorded; both positive.
    """

    day: date
    money_in: Decimal
    money_out: Decimal


def cash_days(*, company_id: int, start: date, before: date) -> tuple[CashDay, ...]:
    """Return the days of `[start, before)` on which cash moved; transfers between own accounts are left out.

    Reads the daily sums: call `ledger.services.daily_flows.catch_up` first. A reversed event moves nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DAYS, [company_id, start, before])
        return tuple(CashDay(*row) for row in cursor.fetchall())
