"""Positions count from 1 without a gap or a repeat, and the head row says the last."""

from ledger.domain.company import CompanyRef
from ledger.selectors.invariants.invariant import Invariant, by_sql

_GAP = """
    SELECT format('position %%s stands where %%s is due', position, due)
    FROM (SELECT position, row_number() OVER (ORDER BY position) AS due
          FROM ledger_capitalevent WHERE company_id = %(company)s) counted
    WHERE position <> due ORDER BY due LIMIT 1
"""
_HEAD = """
    SELECT format('the head row says %%s, the last position is %%s', said, reached)
    FROM (SELECT coalesce((SELECT position FROM ledger_journalhead WHERE company_id = %(company)s), 0) AS said,
                 coalesce((SELECT max(position) FROM ledger_capitalevent WHERE company_id = %(company)s), 0)
                 AS reached) head
    WHERE said <> reached
"""


def _difference(company: CompanyRef) -> str | None:
    return by_sql(_GAP, _HEAD, company=company)


INVARIANT = Invariant("positions", "positions are gapless and end at the head", _difference)
