"""What was recorded into a month while it was closed has a permission of its own."""

from ledger.domain.company import CompanyRef
from ledger.selectors.invariants.invariant import Invariant, by_sql

_ENTRIES = """
    WITH steps AS (
        SELECT month, closed, position,
               lead(position, 1, 9223372036854775807) OVER (PARTITION BY month ORDER BY id) AS until
        FROM ledger_monthclosing WHERE company_id = %(company)s
    )
    SELECT format('position %%s lies in %%s, which was closed behind position %%s, without a permission',
                  e.position, to_char(s.month, 'YYYY-MM'), s.position)
    FROM steps s JOIN ledger_capitalevent e
      ON e.company_id = %(company)s AND e.position > s.position AND e.position <= s.until
     AND e.occurred_at >= s.month::timestamp AT TIME ZONE %(timezone)s
     AND e.occurred_at < (s.month + interval '1 month')::timestamp AT TIME ZONE %(timezone)s
    LEFT JOIN ledger_closedmonthentry p ON p.company_id = e.company_id AND p.event_id = e.event_id
    WHERE s.closed AND p.event_id IS NULL
    ORDER BY e.position LIMIT 1
"""


def _difference(company: CompanyRef) -> str | None:
    return by_sql(_ENTRIES, company=company, timezone=company.timezone)


INVARIANT = Invariant("closed_months", "what went into closed months was permitted", _difference)
