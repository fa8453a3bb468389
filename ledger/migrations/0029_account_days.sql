-- Balances were summed anew from every vendor's days. Account days are summed beside the daily flows now.

-- First, because it keeps whoever sums from it until the commit: so nothing is summed in between.
CREATE INDEX ledger_dailyflow_rare ON ledger_dailyflow (company_id, day)
    WHERE event_type = 'credit' OR category = 'customer_deposit' OR category ILIKE 'cloud%';

INSERT INTO ledger_accountday (
    company_id, account_id, currency, day, event_type, direction, amount, base_amount, count
)
SELECT company_id, account_id, currency, day, event_type, direction, sum(amount), sum(base_amount), sum(count)
FROM ledger_dailyflow GROUP BY 1, 2, 3, 4, 5, 6;
