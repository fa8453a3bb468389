"""The totals per account, month and currency that the journal has are those that the daily sums have."""

from ledger.domain.company import CompanyRef
from ledger.selectors.invariants.invariant import Invariant, by_sql

_TOTALS = """
    WITH reached AS (
        SELECT position, timezone FROM ledger_dailyflowcursor WHERE company_id = %(company)s
    ), journal AS (
        SELECT e.account_id, date_trunc('month', e.occurred_at AT TIME ZONE k.timezone)::date AS month, e.currency,
               sum(CASE e.direction WHEN 'in' THEN e.amount ELSE -e.amount END) AS total
        FROM ledger_capitalevent e, reached k
        WHERE e.company_id = %(company)s AND e.position <= k.position GROUP BY 1, 2, 3
    ), summed AS (
        SELECT account_id, date_trunc('month', day)::date AS month, currency,
               sum(CASE direction WHEN 'in' THEN amount ELSE -amount END) AS total
        FROM ledger_dailyflow WHERE company_id = %(company)s GROUP BY 1, 2, 3
    )
    SELECT format('account %%s, %%s, %%s: the journal has %%s, the daily sums have %%s',
                  coalesce(a.name, t.account_id::text), to_char(t.month, 'YYYY-MM'), t.currency,
                  t.journal, t.summed)
    FROM (SELECT account_id, month, currency, coalesce(j.total, 0) AS journal, coalesce(s.total, 0) AS summed
          FROM journal j FULL JOIN summed s USING (account_id, month, currency)) t
    LEFT JOIN ledger_account a ON a.id = t.account_id
    WHERE t.journal <> t.summed
    ORDER BY t.month, t.account_id, t.currency LIMIT 1
"""


def _difference(company: CompanyRef) -> str | None:
    return by_sql(_TOTALS, company=company)


INVARIANT = Invariant("totals", "totals per account, month and currency agree", _difference)
