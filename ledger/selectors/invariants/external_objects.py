"""Every external object stands for an event and knows whether it was taken back; every event has its object."""

from ledger.domain.company import CompanyRef
from ledger.selectors.invariants.invariant import Invariant, by_sql

_SAME_OBJECT = """
    o.company_id = e.company_id AND o.account_id = e.account_id AND o.source = e.source
    AND o.event_type = e.event_type AND o.direction = e.direction AND o.external_ref = e.external_ref
    AND o.twin = CASE e.external_ref WHEN '' THEN e.event_id ELSE ''::bytea END
"""
_EVENT_EXISTS = f"""
    SELECT format('the object %%s of %%s stands for an event that is not in the journal as it says',
                  CASE o.external_ref WHEN '' THEN encode(o.twin, 'hex') ELSE o.external_ref END, o.source)
    FROM ledger_externalobject o LEFT JOIN ledger_capitalevent e
      ON {_SAME_OBJECT} AND e.event_id = o.event_id AND e.occurred_at = o.occurred_at AND e.reverses IS NULL
     AND e.amount = o.amount AND e.currency = o.currency AND e.revision = o.revision
    WHERE o.company_id = %(company)s AND e.position IS NULL
    ORDER BY o.source, o.external_ref LIMIT 1
"""  # noqa: S608 - made of constants
_REVERSED = """
    SELECT format('the object %%s of %%s says reversed: %%s, the journal says %%s', o.external_ref, o.source,
                  o.reversed, r.reverses IS NOT NULL)
    FROM ledger_externalobject o
    LEFT JOIN (SELECT DISTINCT reverses FROM ledger_capitalevent
               WHERE company_id = %(company)s AND reverses IS NOT NULL) r ON r.reverses = o.event_id
    WHERE o.company_id = %(company)s AND o.reversed <> (r.reverses IS NOT NULL)
    ORDER BY o.source, o.external_ref LIMIT 1
"""
_OBJECT_EXISTS = f"""
    SELECT format('position %%s has no external object: it could be recorded again', e.position)
    FROM ledger_capitalevent e LEFT JOIN ledger_externalobject o ON {_SAME_OBJECT} AND o.revision >= e.revision
    WHERE e.company_id = %(company)s AND e.reverses IS NULL AND o.company_id IS NULL
    ORDER BY e.position LIMIT 1
"""  # noqa: S608 - made of constants


def _difference(company: CompanyRef) -> str | None:
    return by_sql(_EVENT_EXISTS, _REVERSED, _OBJECT_EXISTS, company=company)


INVARIANT = Invariant("external_objects", "objects and events stand for each other", _difference)
