"""The seals follow each other without a gap and end at the journal's head or before it."""

from ledger.domain.company import CompanyRef
from ledger.selectors.invariants.invariant import Invariant, by_sql

_TILES = """
    SELECT format('the seal of %%s to %%s does not begin where the one before ends', first_position, last_position)
    FROM (SELECT first_position, last_position,
                 lag(last_position, 1, 0::bigint) OVER (ORDER BY first_position) AS before
          FROM ledger_seal WHERE company_id = %(company)s) tiled
    WHERE first_position <> before + 1 ORDER BY first_position LIMIT 1
"""
_END = """
    SELECT format('the seals reach to %%s, the journal to %%s', sealed, reached)
    FROM (SELECT (SELECT max(last_position) FROM ledger_seal WHERE company_id = %(company)s) AS sealed,
                 coalesce((SELECT position FROM ledger_journalhead WHERE company_id = %(company)s), 0)
                 AS reached) ends
    WHERE sealed > reached
"""


def _difference(company: CompanyRef) -> str | None:
    return by_sql(_TILES, _END, company=company)


INVARIANT = Invariant("seals", "seals tile the journal", _difference)
