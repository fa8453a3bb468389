"""The payments for contracts are those of the journal up to the cursor that were not taken back."""

from ledger.domain.company import CompanyRef
from ledger.selectors.invariants.invariant import Invariant, by_sql

_RECEIPTS = """
    WITH reached AS (
        SELECT position, timezone FROM ledger_dailyflowcursor WHERE company_id = %(company)s
    ), journal AS (
        SELECT e.event_id, (e.occurred_at AT TIME ZONE k.timezone)::date AS day, e.counterparty AS customer,
               e.amount, e.currency, (e.metadata ->> 'term_months')::integer AS term_months,
               coalesce(e.metadata -> 'deferred' = 'true', false) AS deferred,
               coalesce(e.metadata -> 'renewal' = 'true', false) AS renewal
        FROM reached k, ledger_capitalevent e JOIN ledger_account a ON a.id = e.account_id
        LEFT JOIN ledger_eventreading read ON read.company_id = e.company_id AND read.event_id = e.event_id
        WHERE e.company_id = %(company)s AND e.position <= k.position
          AND a.kind IN ('bank', 'card', 'processor') AND coalesce(read.event_type, e.event_type) = 'income'
          AND e.reverses IS NULL
          AND e.metadata ? 'contract' AND e.metadata ->> 'term_months' ~ '^[1-9][0-9]{0,2}$'
          AND jsonb_typeof(e.metadata -> 'term_months') = 'number'
          AND NOT EXISTS (SELECT FROM ledger_capitalevent r WHERE r.company_id = e.company_id
                          AND r.reverses = e.event_id AND r.occurred_at = e.occurred_at
                          AND r.position <= k.position)
    ), picked AS (
        SELECT event_id, day, customer, amount, currency, term_months, deferred, renewal
        FROM ledger_contractreceipt WHERE company_id = %(company)s
    )
    SELECT format('event %%s of %%s is %%s', encode(event_id, 'hex'), customer,
                  CASE WHEN j_amount IS NULL THEN 'no payment for a contract in the journal'
                       WHEN p_amount IS NULL THEN 'a payment for a contract, but not picked out'
                       ELSE 'picked out otherwise than the journal says' END)
    FROM (
        SELECT event_id, coalesce(j.customer, p.customer) AS customer, j.amount AS j_amount, p.amount AS p_amount
        FROM journal j FULL JOIN picked p USING (event_id)
        WHERE (j.day, j.customer, j.amount, j.currency, j.term_months, j.deferred, j.renewal)
              IS DISTINCT FROM
              (p.day, p.customer, p.amount, p.currency, p.term_months, p.deferred, p.renewal)
    ) different
    ORDER BY event_id LIMIT 1
"""


def _difference(company: CompanyRef) -> str | None:
    return by_sql(_RECEIPTS, company=company)


INVARIANT = Invariant("contract_receipts", "payments for contracts are those of the journal", _difference)
