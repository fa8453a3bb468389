"""The read side is what the journal up to its cursor sums to, row by row, each event as it is read (ADR 0073)."""

from ledger.domain.company import CompanyRef
from ledger.selectors.invariants.invariant import Invariant, by_sql

_CURSOR = """
    SELECT format('the daily sums reach to %%s, the journal to %%s', k.position, coalesce(h.position, 0))
    FROM ledger_dailyflowcursor k LEFT JOIN ledger_journalhead h USING (company_id)
    WHERE company_id = %(company)s AND k.position > coalesce(h.position, 0)
"""
_ROWS = """
    WITH reached AS (
        SELECT position, timezone FROM ledger_dailyflowcursor WHERE company_id = %(company)s
    ), journal AS (
        SELECT (e.occurred_at AT TIME ZONE k.timezone)::date AS day, e.account_id, e.currency,
               coalesce(p.event_type, r.event_type, e.event_type) AS event_type,
               CASE WHEN e.reverses IS NULL THEN e.direction WHEN e.direction = 'in' THEN 'out' ELSE 'in' END
               AS direction,
               coalesce(p.category, r.category, e.category) AS category,
               coalesce(p.counterparty, r.counterparty, e.counterparty) AS counterparty,
               sum(CASE WHEN e.reverses IS NULL THEN 1 ELSE -1 END * coalesce(p.amount, e.amount)) AS amount,
               sum(CASE WHEN e.reverses IS NULL THEN 1 ELSE -1 END * coalesce(p.base_amount, e.base_amount))
               AS base_amount,
               sum(CASE WHEN e.reverses IS NULL THEN 1 ELSE -1 END) AS count
        FROM reached k
        JOIN ledger_capitalevent e ON e.company_id = %(company)s AND e.position <= k.position
        LEFT JOIN ledger_eventreading r
               ON r.company_id = e.company_id AND r.event_id = coalesce(e.reverses, e.event_id)
        LEFT JOIN ledger_eventpart p
               ON p.company_id = e.company_id AND p.event_id = coalesce(e.reverses, e.event_id) AND p.in_force
        GROUP BY 1, 2, 3, 4, 5, 6, 7
    ), summed AS (
        SELECT * FROM ledger_dailyflow WHERE company_id = %(company)s
    )
    SELECT format('%%s, %%s %%s, category %%s, counterparty %%s: the journal has %%s %%s in %%s events, '
                  'the daily sums have %%s in %%s',
                  day, event_type, direction, category, counterparty, coalesce(j.amount, 0), currency,
                  coalesce(j.count, 0), coalesce(s.amount, 0), coalesce(s.count, 0))
    FROM journal j
    FULL JOIN summed s USING (day, account_id, currency, event_type, direction, category, counterparty)
    WHERE (coalesce(j.amount, 0), coalesce(j.base_amount, 0), coalesce(j.count, 0))
       <> (coalesce(s.amount, 0), coalesce(s.base_amount, 0), coalesce(s.count, 0))
    ORDER BY day LIMIT 1
"""
_ACCOUNT_DAYS = """
    WITH flows AS (
        SELECT account_id, currency, day, event_type, direction, sum(amount) AS amount,
               sum(base_amount) AS base_amount, sum(count) AS count
        FROM ledger_dailyflow WHERE company_id = %(company)s GROUP BY 1, 2, 3, 4, 5
    ), days AS (
        SELECT * FROM ledger_accountday WHERE company_id = %(company)s
    )
    SELECT format('%%s, %%s %%s of account %%s: the daily sums have %%s %%s in %%s events, its day has %%s in %%s',
                  day, event_type, direction, account_id, coalesce(f.amount, 0), currency,
                  coalesce(f.count, 0), coalesce(d.amount, 0), coalesce(d.count, 0))
    FROM flows f FULL JOIN days d USING (account_id, currency, day, event_type, direction)
    WHERE (coalesce(f.amount, 0), coalesce(f.base_amount, 0), coalesce(f.count, 0))
       <> (coalesce(d.amount, 0), coalesce(d.base_amount, 0), coalesce(d.count, 0))
    ORDER BY day LIMIT 1
"""


def _difference(company: CompanyRef) -> str | None:
    return by_sql(_CURSOR, _ROWS, _ACCOUNT_DAYS, company=company)


INVARIANT = Invariant("daily_flows", "the daily sums are those of the journal", _difference)
