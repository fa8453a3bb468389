-- A thousand corrections at once took 2 s: joined freely, drafts and objects were compared pair by pair where the table
-- had no statistics yet. Now each revision looks its object up by the key, as ledger_compare does.

-- As before but for `revised`. A row that somebody else changes meanwhile moves and is left out, as it was: every change
-- of an object changes its event or whether that was taken back.
CREATE OR REPLACE FUNCTION ledger_record(
    p_company bigint, p_base_currency text, p_recorded_at timestamptz, p_actor text, p_drafts ledger_draft[]
) RETURNS TABLE (ordinal integer, "position" bigint)
LANGUAGE plpgsql SET lock_timeout = '3s' AS $$
#variable_conflict use_column
BEGIN
    INSERT INTO ledger_source (company_id, name, first_seen_at)
    SELECT p_company, new.name, p_recorded_at
    FROM (SELECT DISTINCT d.source FROM unnest(p_drafts) d) AS new (name)
    WHERE NOT EXISTS (SELECT FROM ledger_source s WHERE s.company_id = p_company AND s.name = new.name)
    ORDER BY new.name
    ON CONFLICT DO NOTHING;

    RETURN QUERY
    WITH draft AS MATERIALIZED (
        SELECT * FROM unnest(p_drafts)
    ), fresh AS (
        INSERT INTO ledger_externalobject AS o (
            company_id, account_id, source, event_type, direction, external_ref, twin,
            event_id, occurred_at, amount, currency, revision, reversed
        )
        SELECT p_company, d.account_id, d.source, d.event_type, d.direction, d.external_ref,
               CASE d.external_ref WHEN '' THEN d.event_id ELSE '' END,
               d.event_id, d.occurred_at, d.amount, d.currency, 0, false
        FROM draft d WHERE d.revision = 0
        ORDER BY 2, 3, 4, 5, 6, 7
        ON CONFLICT DO NOTHING
        RETURNING o.event_id
    ), revised AS (
        UPDATE ledger_externalobject o
        SET event_id = d.event_id, occurred_at = d.occurred_at, amount = d.amount, currency = d.currency,
            revision = d.revision, reversed = false
        FROM (
            SELECT d.*, found.row FROM draft d
            CROSS JOIN LATERAL (
                SELECT k.ctid AS row FROM ledger_externalobject k
                WHERE k.company_id = p_company AND k.account_id = d.account_id AND k.source = d.source
                  AND k.event_type = d.event_type AND k.direction = d.direction AND k.external_ref = d.external_ref
                  AND k.twin = ''
                LIMIT 1
            ) found
            WHERE d.revision > 0
        ) d
        WHERE o.ctid = d.row AND o.reversed AND o.revision = d.revision - 1
        RETURNING o.event_id
    ), won AS MATERIALIZED (
        SELECT f.event_id FROM fresh f UNION ALL SELECT v.event_id FROM revised v
    ), head AS MATERIALIZED (
        SELECT ledger_advance(
            p_company, count(*), p_base_currency, (SELECT array_agg(DISTINCT d.account_id) FROM draft d)
        ) AS position
        FROM won HAVING count(*) > 0
    ), numbered AS MATERIALIZED (
        SELECT d.*, row_number() OVER (ORDER BY d.ordinal) AS n
        FROM draft d JOIN won USING (event_id)
    ), written AS (
        INSERT INTO ledger_capitalevent (
            company_id, position, account_id, occurred_at, recorded_at, fx_at, revision, event_id, source,
            event_type, direction, amount, currency, base_amount, fx_rate, fx_source, category, counterparty,
            external_ref, metadata, reverses, actor, reason
        )
        SELECT p_company, h.position + d.n, d.account_id, d.occurred_at, p_recorded_at, d.fx_at, d.revision,
               d.event_id, d.source, d.event_type, d.direction, d.amount, d.currency, d.base_amount, d.fx_rate,
               d.fx_source, d.category, d.counterparty, d.external_ref, d.metadata, NULL, p_actor, ''
        FROM head h, numbered d
        ORDER BY d.n
    )
    SELECT d.ordinal, h.position + d.n FROM head h, numbered d;
END $$;
