"""The DEFAULT partition is a net that must stay empty."""

from ledger.domain.company import CompanyRef
from ledger.selectors.invariants.invariant import Invariant, by_sql

_HELD = """
    SELECT format('position %%s, of %%s, lies in the DEFAULT partition: run maintain_partitions',
                  position, to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'))
    FROM ledger_capitalevent_default WHERE company_id = %(company)s ORDER BY position LIMIT 1
"""


def _difference(company: CompanyRef) -> str | None:
    return by_sql(_HELD, company=company)


INVARIANT = Invariant("default_partition", "no row lies in the DEFAULT partition", _difference)
