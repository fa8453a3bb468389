-- A row that somebody with an administrator's rights edited or took out could not be told from a true one; now every
-- row is hashed, the hashes are chained, and the chain can only grow.

ALTER TABLE ledger_seal
    ADD CONSTRAINT seal_begins_at_a_position CHECK (first_position > 0 AND last_position >= first_position),
    ADD CONSTRAINT seal_holds_a_digest_per_row
        CHECK (octet_length(digests) = 32 * (last_position - first_position + 1)),
    ADD CONSTRAINT seal_head_is_a_sha256 CHECK (octet_length(head) = 32),
    -- Hashes do not compress; trying to costs more than storing them.
    ALTER COLUMN digests SET STORAGE EXTERNAL;

CREATE FUNCTION ledger_refuse_seal_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'seals are append-only: % on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER seal_refuses_change BEFORE UPDATE OR DELETE ON ledger_seal
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_seal_change();
ALTER TABLE ledger_seal ENABLE ALWAYS TRIGGER seal_refuses_change;
CREATE TRIGGER seal_refuses_truncate BEFORE TRUNCATE ON ledger_seal
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_seal_change();
ALTER TABLE ledger_seal ENABLE ALWAYS TRIGGER seal_refuses_truncate;

-- A field of a row's bytes: its length in bytes, a colon, the value; a hyphen for NULL.
CREATE FUNCTION ledger_chain_field(p_value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(octet_length(p_value)::text || ':' || p_value, '-')
$$;

CREATE FUNCTION ledger_chain_instant(p_value timestamptz) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT to_char(p_value AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;

-- The digest of a row over every column, as `ledger/domain/chain.py` says.
CREATE FUNCTION ledger_row_digest(e ledger_capitalevent) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT sha256(convert_to(
        E'capstack.row.1\n'
        || ledger_chain_field(e.company_id::text)
        || ledger_chain_field(e.position::text)
        || ledger_chain_field(e.account_id::text)
        || ledger_chain_field(ledger_chain_instant(e.occurred_at))
        || ledger_chain_field(ledger_chain_instant(e.recorded_at))
        || ledger_chain_field(ledger_chain_instant(e.fx_at))
        || ledger_chain_field(e.revision::text)
        || ledger_chain_field(encode(e.event_id, 'hex'))
        || ledger_chain_field(e.source)
        || ledger_chain_field(e.event_type)
        || ledger_chain_field(e.direction)
        || ledger_chain_field(e.amount::text)
        || ledger_chain_field(e.currency)
        || ledger_chain_field(e.base_amount::text)
        || ledger_chain_field(e.fx_rate::text)
        || ledger_chain_field(e.fx_source)
        || ledger_chain_field(e.category)
        || ledger_chain_field(e.counterparty)
        || ledger_chain_field(e.external_ref)
        || ledger_chain_field(e.metadata::text)
        || ledger_chain_field(encode(e.reverses, 'hex'))
        || ledger_chain_field(e.actor)
        || ledger_chain_field(e.reason), 'UTF8'))
$$;

-- The digests of the rows with p_after < position <= p_until, in blocks of p_block positions, a row per block. `rows`
-- says how many there were: fewer than positions means that one is missing.
CREATE FUNCTION ledger_row_digests(p_company bigint, p_after bigint, p_until bigint, p_block integer)
RETURNS TABLE (first_position bigint, last_position bigint, rows bigint, digests bytea)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN QUERY
    SELECT min(e.position), max(e.position), count(*), string_agg(ledger_row_digest(e), ''::bytea ORDER BY e.position)
    FROM ledger_capitalevent e
    WHERE e.company_id = p_company AND e.position > p_after AND e.position <= p_until
    GROUP BY (e.position - p_after - 1) / p_block
    ORDER BY 1;
END $$;
