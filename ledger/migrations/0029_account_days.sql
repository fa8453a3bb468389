-- Balances were summed anew from every vendor's days, refunds and withheld tax looked for among all events. Account
-- days are summed beside the daily flows now, and what is rare in the journal has an index that holds nothing else.

INSERT INTO ledger_accountday (
    company_id, account_id, currency, day, event_type, direction, amount, base_amount, count
)
SELECT company_id, account_id, currency, day, event_type, direction, sum(amount), sum(base_amount), sum(count)
FROM ledger_dailyflow GROUP BY 1, 2, 3, 4, 5, 6;

CREATE INDEX ledger_dailyflow_rare ON ledger_dailyflow (company_id, day)
    WHERE event_type = 'credit' OR category = 'customer_deposit' OR category ILIKE 'cloud%';
CREATE INDEX ledger_capitalevent_refunds ON ledger_capitalevent (company_id, source, occurred_at)
    WHERE metadata ? 'refund_of';
CREATE INDEX ledger_capitalevent_payroll_tax ON ledger_capitalevent (company_id, occurred_at)
    WHERE category = 'payroll_tax';
