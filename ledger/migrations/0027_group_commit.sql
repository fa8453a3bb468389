-- Single events that arrive together each paid for a statement, its checks and a commit of their own, one behind the
-- other at the head row. Now one thread of a process writes what the others have ready, in one statement.

-- What ledger_record_one does, for several events of one company at once: all of them or none. Returns the position
-- before the first, the events follow in the order of `ordinal`, from 0 without gaps; NULL when one of them is not new,
-- and nothing is written then. Raises CS001 when the books have changed. As everywhere: objects first, in the order
-- of their key, the head row last.
CREATE FUNCTION ledger_record_few(
    p_company bigint, p_books_version bigint, p_seen_at timestamptz, p_sources text[], p_rows json
) RETURNS bigint LANGUAGE plpgsql SET lock_timeout = '3s' AS $$
#variable_conflict use_column
DECLARE
    v_count bigint;
    v_position bigint;
BEGIN
    INSERT INTO ledger_source (company_id, name, first_seen_at)
    SELECT p_company, new.name, p_seen_at FROM unnest(p_sources) AS new (name)
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
    FROM json_to_recordset(p_rows) AS d (
        account_id bigint, source text, event_type text, direction text, external_ref text, event_id bytea,
        occurred_at timestamptz, amount numeric, currency text
    )
    ORDER BY 2, 3, 4, 5, 6, 7;
    GET DIAGNOSTICS v_count = ROW_COUNT;

    UPDATE ledger_journalhead SET position = position + v_count
    WHERE company_id = p_company RETURNING position INTO v_position;
    -- Under the lock: a change of accounts or currency takes it too, so what is read here holds until the commit.
    IF v_position IS NULL
       OR NOT EXISTS (SELECT FROM ledger_company WHERE id = p_company AND books_version = p_books_version) THEN
        RAISE EXCEPTION 'the books of company % have changed', p_company USING ERRCODE = 'CS001';
    END IF;
    v_position := v_position - v_count;
    INSERT INTO ledger_capitalevent (
        company_id, position, account_id, occurred_at, recorded_at, fx_at, revision, event_id, source,
        event_type, direction, amount, currency, base_amount, fx_rate, fx_source, category, counterparty,
        external_ref, metadata, reverses, actor, reason
    )
    SELECT p_company, v_position + 1 + d.ordinal, d.account_id, d.occurred_at, d.recorded_at, d.fx_at, 0,
           d.event_id, d.source, d.event_type, d.direction, d.amount, d.currency, d.base_amount, d.fx_rate,
           d.fx_source, d.category, d.counterparty, d.external_ref, d.metadata::jsonb, NULL, d.actor, ''
    FROM json_to_recordset(p_rows) AS d (
        ordinal bigint, account_id bigint, occurred_at timestamptz, recorded_at timestamptz, fx_at timestamptz,
        event_id bytea, source text, event_type text, direction text, amount numeric, currency text,
        base_amount numeric, fx_rate numeric, fx_source text, category text, counterparty text,
        external_ref text, metadata text, actor text
    );
    RETURN v_position;
EXCEPTION WHEN unique_violation THEN
    RETURN NULL;
END $$;
