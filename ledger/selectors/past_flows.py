"""Daily flows as far as a position of the journal knew them: today's sums less what was recorded since."""

from datetime import date
from typing import Any

from django.db import connection

from ledger.domain.flow_sums import flow_arrays
from ledger.domain.flows import ContractReceipt, DailyFlows

# One statement is one moment: sums, their cursor and the journal after the position belong together.
_ROWS = """
    WITH summed AS (
        SELECT position, timezone FROM ledger_dailyflowcursor WHERE company_id = %(company)s
    ), signed AS (
        SELECT f.day, f.account_id, f.event_type, f.currency, f.category, f.counterparty, f.count,
               CASE WHEN f.direction = 'in' THEN f.amount ELSE -f.amount END AS amount
        FROM ledger_dailyflow f
        WHERE f.company_id = %(company)s AND f.day <= %(until)s
        UNION ALL
        SELECT (e.occurred_at AT TIME ZONE s.timezone)::date, e.account_id,
               coalesce(r.event_type, e.event_type), e.currency, coalesce(r.category, e.category),
               coalesce(r.counterparty, e.counterparty),
               CASE WHEN e.reverses IS NULL THEN -1 ELSE 1 END,
               CASE WHEN e.direction = 'in' THEN -e.amount ELSE e.amount END
        FROM summed s
        CROSS JOIN LATERAL ledger_journal_between(%(company)s, %(position)s, s.position) e
        LEFT JOIN ledger_eventreading r
               ON r.company_id = e.company_id AND r.event_id = coalesce(e.reverses, e.event_id)
        WHERE s.position > %(position)s AND (e.occurred_at AT TIME ZONE s.timezone)::date <= %(until)s
    )
    SELECT f.day - date '1970-01-01', sum(f.amount)::float8, sum(f.count)::integer,
           f.event_type, f.currency, f.category, f.counterparty
    FROM signed f JOIN ledger_account a ON a.id = f.account_id
    WHERE f.event_type = 'credit' OR a.kind IN ('bank', 'card', 'processor')
    GROUP BY f.day, f.event_type, f.currency, f.category, f.counterparty
    HAVING sum(f.amount) <> 0 OR sum(f.count) <> 0
    ORDER BY f.day, f.event_type, f.currency, f.category, f.counterparty
"""
# A contract whose payment was taken back since is gone from the read side, and counts as not known then.
_CONTRACTS = """
    SELECT c.day, c.customer, c.amount, c.currency, c.term_months, c.deferred, c.renewal
    FROM ledger_contractreceipt c
    WHERE c.company_id = %(company)s AND c.day <= %(until)s
      AND c.event_id NOT IN (
          SELECT e.event_id FROM ledger_dailyflowcursor s
          CROSS JOIN LATERAL ledger_journal_between(%(company)s, %(position)s, s.position) e
          WHERE s.company_id = %(company)s AND s.position > %(position)s)
    ORDER BY c.day, c.customer, c.event_id
"""


def flows_known_to(*, company_id: int, until: date, position: int) -> DailyFlows:
    """Return the daily flows up to a day, as far as the journal's first `position` events tell them.

    Categories and transfers are read as they are today. Costs as much as the events since `position`.

    Reads the daily sums: call `ledger.services.daily_flows.catch_up` first.
    """
    values: dict[str, Any] = {"company": company_id, "until": until, "position": position}
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, values)
        rows = cursor.fetchall()
        cursor.execute(_CONTRACTS, values)
        contracts = [ContractReceipt(*row) for row in cursor.fetchall()]
    return flow_arrays(rows, contracts)
