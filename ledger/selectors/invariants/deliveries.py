"""Every delivery and every walk is accounted for item by item, and so is every event that they brought."""

from ledger.domain.company import CompanyRef
from ledger.selectors.invariants.invariant import Invariant, by_sql

_COUNTS = """
    format('%%s recorded, %%s corrected, %%s duplicate, %%s taken back, %%s stated, %%s ignored, %%s rejected',
           recorded, corrected, duplicate, taken_back, stated, ignored, rejected)
"""
_TOTAL = "recorded + corrected + duplicate + taken_back + stated + ignored + rejected"
# Where items are not counted, it was settled before they were, or nothing of it was believed or read so far.
_UNSETTLED = f"""
    SELECT format('delivery %%s is %%s, but of %%s items ', id, state, coalesce(items::text, 'uncounted'))
           || {_COUNTS}
    FROM ledger_delivery WHERE company_id = %(company)s AND (
        items <> {_TOTAL}
        OR (state = 'done' AND (rejected > 0 OR items = 0 OR finished_at IS NULL))
        OR (state = 'ignored' AND (rejected > 0 OR (items IS NOT NULL AND ignored = 0)))
        OR (state = 'quarantined' AND items IS NOT NULL AND rejected = 0)
        OR (state = 'refused' AND (items IS NOT NULL OR {_TOTAL} > rejected))
        OR state NOT IN ('waiting', 'done', 'ignored', 'quarantined', 'refused'))
    ORDER BY id LIMIT 1
"""  # noqa: S608 - made of constants
_WALK_ADDS_UP = f"""
    SELECT format('walk %%s has %%s items, but ', id, items) || {_COUNTS}
    FROM ledger_plaidwalk WHERE company_id = %(company)s AND items IS DISTINCT FROM {_TOTAL}
    ORDER BY id LIMIT 1
"""  # noqa: S608 - made of constants


def _as_the_journal_says(table: str, reference: str, name: str) -> str:
    """Compare counts with the events that name a delivery or walk.

    An object of which it reversed something and recorded nothing is what it took back.
    """
    return f"""
        WITH brought AS (
            SELECT p.{reference} AS bringer, p.first_position, e.source, e.external_ref,
                   count(*) FILTER (WHERE e.reverses IS NULL) AS events
            FROM ledger_provenance p
            CROSS JOIN LATERAL ledger_journal_between(p.company_id, p.first_position - 1, p.last_position) e
            WHERE p.company_id = %(company)s AND p.{reference} IS NOT NULL
            GROUP BY 1, 2, 3, 4
        ), journal AS (
            SELECT bringer, sum(events) AS events, count(*) FILTER (WHERE events = 0) AS taken_back
            FROM brought GROUP BY bringer
        )
        SELECT format('{name} %%s counts %%s recorded or corrected and %%s taken back, '
                      'the journal has %%s and %%s',
                      t.id, t.recorded + t.corrected, t.taken_back, coalesce(j.events, 0),
                      coalesce(j.taken_back, 0))
        FROM {table} t LEFT JOIN journal j ON j.bringer = t.id
        WHERE t.company_id = %(company)s AND t.items IS NOT NULL
          AND (t.recorded + t.corrected <> coalesce(j.events, 0) OR t.taken_back <> coalesce(j.taken_back, 0))
        ORDER BY t.id LIMIT 1
    """  # noqa: S608 - made of constants


_AS_DELIVERED = _as_the_journal_says("ledger_delivery", "delivery_id", "delivery")
_AS_WALKED = _as_the_journal_says("ledger_plaidwalk", "walk_id", "walk")
# Events from before there was provenance have none.
_NAMED = """
    SELECT format('position %%s was recorded by %%s, but names nothing that brought it', e.position, e.actor)
    FROM ledger_capitalevent e
    WHERE e.company_id = %(company)s AND (e.actor LIKE 'webhook:%%' OR e.actor = 'plaid')
      AND e.position > (SELECT min(first_position) FROM ledger_provenance WHERE company_id = %(company)s)
      AND e.position > (SELECT last_position FROM ledger_provenance
                        WHERE company_id = %(company)s AND first_position <= e.position
                        ORDER BY first_position DESC LIMIT 1)
    ORDER BY e.position LIMIT 1
"""
_WITHIN = """
    SELECT format('a provenance of positions %%s to %%s reaches beyond the journal or into another',
                  p.first_position, p.last_position)
    FROM (
        SELECT first_position, last_position, lag(last_position) OVER (ORDER BY first_position) AS before
        FROM ledger_provenance WHERE company_id = %(company)s
    ) p
    WHERE p.first_position <= p.before
       OR p.last_position > (SELECT coalesce(max(position), 0) FROM ledger_journalhead
                             WHERE company_id = %(company)s)
    ORDER BY p.first_position LIMIT 1
"""


def _difference(company: CompanyRef) -> str | None:
    return by_sql(_UNSETTLED, _WALK_ADDS_UP, _WITHIN, _AS_DELIVERED, _AS_WALKED, _NAMED, company=company)


INVARIANT = Invariant("deliveries", "every item of every delivery is accounted for", _difference)
