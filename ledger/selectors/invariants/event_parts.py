"""The parts of a split event are the event: in its currency and in the company's, to the last digit."""

from ledger.domain.company import CompanyRef
from ledger.selectors.invariants.invariant import Invariant, by_sql

_SUMS = """
    SELECT format('event %%s is %%s %%s (%%s in the books), its parts are %%s (%%s)', s.position, e.amount,
                  e.currency, e.base_amount, p.amount, p.base_amount)
    FROM ledger_eventsplit s
    LEFT JOIN ledger_capitalevent e ON e.company_id = s.company_id AND e.event_id = s.event_id
    LEFT JOIN LATERAL (
        SELECT sum(amount) AS amount, sum(base_amount) AS base_amount
        FROM ledger_eventpart p WHERE p.split_id = s.id AND p.event_id = s.event_id AND p.in_force
    ) p ON true
    WHERE s.company_id = %(company)s AND s.ended_at IS NULL
      AND (e.amount, e.base_amount, e.position) IS DISTINCT FROM (p.amount, p.base_amount, s.position)
    ORDER BY s.position LIMIT 1
"""
_LEFT_OVER = """
    SELECT format('event %%s was put together, but a part of %%s still counts', s.position, p.amount)
    FROM ledger_eventpart p JOIN ledger_eventsplit s ON s.id = p.split_id
    WHERE p.company_id = %(company)s AND p.in_force AND s.ended_at IS NOT NULL
    ORDER BY s.position, p.part LIMIT 1
"""


def _difference(company: CompanyRef) -> str | None:
    return by_sql(_SUMS, _LEFT_OVER, company=company)


INVARIANT = Invariant("event_parts", "the parts of a split event add up to it", _difference)
