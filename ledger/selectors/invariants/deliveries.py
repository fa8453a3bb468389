"""Every verified delivery is recorded, duplicate, ignored, quarantined, or still waits."""

from ledger.domain.company import CompanyRef
from ledger.selectors.invariants.invariant import Invariant, by_sql

_UNSETTLED = """
    SELECT format('delivery %%s is %%s, but %%s recorded, %%s duplicate, %%s corrected, %%s rejected',
                  id, state, recorded, duplicate, corrected, rejected)
    FROM ledger_delivery WHERE company_id = %(company)s AND (
        (state = 'done' AND (rejected > 0 OR finished_at IS NULL))
        OR (state = 'ignored' AND recorded + duplicate + corrected + rejected > 0)
        OR (state = 'refused' AND recorded + duplicate + corrected > 0)
        OR state NOT IN ('waiting', 'done', 'ignored', 'quarantined', 'refused'))
    ORDER BY id LIMIT 1
"""


def _difference(company: CompanyRef) -> str | None:
    return by_sql(_UNSETTLED, company=company)


INVARIANT = Invariant("deliveries", "every delivery is accounted for", _difference)
