"""Months in which a kind of spending came out below zero, and the rows that made it so.

Spending that flips its sign is seldom true: a credit note that was never applied to its bill, or refunds of many
months booked in one.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import connection

MAX_WARNINGS = 12
MAX_ROWS = 5

# What a row gives back: reversals that outweigh, refunds booked as adjustment or income. A vendor credit is none:
# the expense beside it is already what was left to pay. Categories that cost more than they bring are spending.
_RETURNED = """
    CASE WHEN event_type = 'expense' THEN -base_amount WHEN direction = 'in' THEN base_amount ELSE -base_amount END
"""
_SPENDING = f"""
    WITH monthly AS (
        SELECT date_trunc('month', day)::date AS month, category, -sum({_RETURNED}) AS spent
        FROM ledger_dailyflow
        WHERE company_id = %(company)s AND day <= %(until)s AND category <> ''
          AND event_type IN ('expense', 'adjustment', 'income')
        GROUP BY 1, 2
    )
    SELECT month, category, spent FROM (
        SELECT *, sum(spent) OVER (PARTITION BY category) AS ever FROM monthly
    ) m
    WHERE spent < 0 AND ever - spent > 0
    ORDER BY month DESC, category LIMIT %(rows)s
"""  # noqa: S608 - made of constants
_CAUSES = f"""
    SELECT day, counterparty, event_type, {_RETURNED} AS returned
    FROM ledger_dailyflow
    WHERE company_id = %(company)s AND category = %(category)s
      AND day >= %(month)s AND day < %(month)s + interval '1 month'
      AND event_type IN ('expense', 'adjustment', 'income') AND {_RETURNED} > 0
    ORDER BY returned DESC, day LIMIT %(rows)s
"""  # noqa: S608 - made of constants


@dataclass(frozen=True, slots=True)
class Cause:
    """What came back on a day, in the company's currency."""

    day: date
    counterparty: str
    event_type: str
    returned: Decimal


@dataclass(frozen=True, slots=True)
class BurnWarning:
    """Attributes:
    spent: below zero, in the company's currency.
    causes: what came back, the largest first.
    """

    month: date
    category: str
    spent: Decimal
    causes: tuple[Cause, ...]


def burn_warnings(*, company_id: int, until: date) -> tuple[BurnWarning, ...]:
    """Return the latest months and categories whose spending is below zero.

    Reads the daily sums: call `ledger.services.daily_flows.catch_up` first.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SPENDING, {"company": company_id, "until": until, "rows": MAX_WARNINGS})
        found = cursor.fetchall()
        warnings = []
        for month, category, spent in found:
            cursor.execute(
                _CAUSES, {"company": company_id, "category": category, "month": month, "rows": MAX_ROWS}
            )
            causes = tuple(Cause(*row) for row in cursor.fetchall())
            warnings.append(BurnWarning(month, category, spent, causes))
    return tuple(warnings)
