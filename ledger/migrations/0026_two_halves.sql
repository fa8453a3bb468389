-- Recording a batch of new events was one statement, so a stream kept one core of the database busy; now it is two, and
-- the objects of a batch are inserted while the events of the one before are. A batch of repeats was told apart event by
-- event; now one question finds those that are recorded already.

DROP FUNCTION ledger_record_new(bigint, text, timestamptz, text);

-- Insert the objects of the rows in the session's table `ledger_arrivals`, all of them or none; returns how many, NULL
-- when an object is there already, twice among the rows included. In the order of their key, so that two calls with
-- the same objects wait and never deadlock. ledger_append_arrivals must follow before the commit.
CREATE FUNCTION ledger_insert_arrived_objects(p_company bigint, p_recorded_at timestamptz)
RETURNS bigint LANGUAGE plpgsql SET lock_timeout = '3s' AS $$
#variable_conflict use_column
DECLARE
    v_count bigint;
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
    ORDER BY 6, 2, 3, 4, 5, 7;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
EXCEPTION WHEN unique_violation THEN
    -- What was inserted is undone to here, the rows of ledger_arrivals stay.
    RETURN NULL;
END $$;

-- Append the rows whose objects were just inserted, p_count of them, numbered from 0 without gaps by `ordinal`; returns
-- the position before the first. The head row is the last lock before the commit, and what the caller read about the
-- company is looked at under it. LIKE the journal's, the columns' types: no value is converted on its way.
CREATE FUNCTION ledger_append_arrivals(
    p_company bigint, p_base_currency text, p_recorded_at timestamptz, p_actor text, p_count bigint
) RETURNS bigint LANGUAGE plpgsql SET lock_timeout = '3s' AS $$
DECLARE
    v_before bigint;
BEGIN
    v_before := ledger_advance(
        p_company, p_count, p_base_currency, ARRAY(SELECT DISTINCT d.account_id FROM ledger_arrivals d)
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

-- The ordinals of the rows in `ledger_arrivals` that are not recorded already, ascending. An event that was taken back
-- is among them: other rows may give its object new content, so ledger_compare has the word. The settings hold the
-- planner to one look into the key per row, also where tables have no statistics.
CREATE FUNCTION ledger_unrecorded_arrivals(p_company bigint) RETURNS integer[] LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_memoize = off AS $$
BEGIN
    RETURN ARRAY(
        SELECT d.ordinal
        FROM ledger_arrivals d
        LEFT JOIN LATERAL (
            SELECT o.event_id, o.reversed FROM ledger_externalobject o
            WHERE o.company_id = p_company AND o.account_id = d.account_id AND o.source = d.source
              AND o.event_type = d.event_type AND o.direction = d.direction AND o.external_ref = d.external_ref
              AND o.twin = CASE d.external_ref WHEN '' THEN d.event_id ELSE '' END
            LIMIT 1
        ) o ON true
        WHERE o.event_id IS DISTINCT FROM d.event_id OR o.reversed
        ORDER BY d.ordinal
    );
END $$;
