-- A batch whose events are all new paid for telling them apart: speculative inserts with a third of their log records to
-- confirm them, three sorts and four copies of every row, 14 us of which 5 were not needed. This writes such a batch
-- in three plain statements, and none of it when a single event is not new.

-- Record the rows of the session's table `ledger_arrivals`, numbered from 0 without gaps by `ordinal`, all of them or
-- none; returns the position before the first. Raises unique_violation when an object is there already, twice among
-- the rows included: ledger_record tells them apart. As there, objects come first and in the order of their key, the
-- head row is the last lock, and what the caller read about the company is looked at under it. LIKE says the types, so
-- that no value is converted on its way.
CREATE FUNCTION ledger_record_new(p_company bigint, p_base_currency text, p_recorded_at timestamptz, p_actor text)
RETURNS bigint LANGUAGE plpgsql SET lock_timeout = '3s' AS $$
#variable_conflict use_column
DECLARE
    v_count bigint;
    v_before bigint;
BEGIN
    INSERT INTO ledger_source (company_id, name, first_seen_at)
    SELECT p_company, new.name, p_recorded_at
    FROM (SELECT DISTINCT d.source FROM ledger_arrivals d) AS new (name)
    WHERE NOT EXISTS (SELECT FROM ledger_source s WHERE s.company_id = p_company AND s.name = new.name)
    ORDER BY new.name
    ON CONFLICT DO NOTHING;

    INSERT INTO ledger_externalobject (
        company_id, account_id, source, event_type, direction, external_ref, twin,
        event_id, occurred_at, amount, currency, revision, reversed
    )
    SELECT p_company, d.account_id, d.source, d.event_type, d.direction, d.external_ref,
           CASE d.external_ref WHEN '' THEN d.event_id ELSE '' END,
           d.event_id, d.occurred_at, d.amount, d.currency, 0, false
    FROM ledger_arrivals d
    ORDER BY 2, 3, 4, 5, 6, 7;
    GET DIAGNOSTICS v_count = ROW_COUNT;

    v_before := ledger_advance(
        p_company, v_count, p_base_currency, ARRAY(SELECT DISTINCT d.account_id FROM ledger_arrivals d)
    );

    INSERT INTO ledger_capitalevent (
        company_id, position, account_id, occurred_at, recorded_at, fx_at, revision, event_id, source,
        event_type, direction, amount, currency, base_amount, fx_rate, fx_source, category, counterparty,
        external_ref, metadata, reverses, actor, reason
    )
    SELECT p_company, v_before + d.ordinal + 1, d.account_id, d.occurred_at, p_recorded_at, d.fx_at, 0,
           d.event_id, d.source, d.event_type, d.direction, d.amount, d.currency, d.base_amount, d.fx_rate,
           d.fx_source, d.category, d.counterparty, d.external_ref, d.metadata, NULL, p_actor, ''
    FROM ledger_arrivals d;
    RETURN v_before;
END $$;
