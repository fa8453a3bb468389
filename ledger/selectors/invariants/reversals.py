"""A reversal is the exact opposite of one event, and an event is taken back once at most."""

from ledger.domain.company import CompanyRef
from ledger.selectors.invariants.invariant import Invariant, by_sql

_OPPOSITE = """
    SELECT format('position %%s is not the opposite of an event of the company', r.position)
    FROM ledger_capitalevent r
    LEFT JOIN ledger_capitalevent e
      ON e.company_id = r.company_id AND e.event_id = r.reverses AND e.occurred_at = r.occurred_at
     AND e.reverses IS NULL AND e.account_id = r.account_id AND e.source = r.source
     AND e.event_type = r.event_type AND e.direction <> r.direction AND e.amount = r.amount
     AND e.currency = r.currency AND e.base_amount = r.base_amount AND e.revision = r.revision
     AND e.external_ref = r.external_ref AND e.category = r.category AND e.counterparty = r.counterparty
     AND e.position < r.position
    WHERE r.company_id = %(company)s AND r.reverses IS NOT NULL AND e.position IS NULL
    ORDER BY r.position LIMIT 1
"""
_ONCE = """
    SELECT format('position %%s takes back what was taken back before', max(position))
    FROM ledger_capitalevent WHERE company_id = %(company)s AND reverses IS NOT NULL
    GROUP BY reverses HAVING count(*) > 1 ORDER BY max(position) LIMIT 1
"""


def _difference(company: CompanyRef) -> str | None:
    return by_sql(_OPPOSITE, _ONCE, company=company)


INVARIANT = Invariant("reversals", "a reversal is the opposite of one event", _difference)
