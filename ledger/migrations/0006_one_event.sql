-- A single event cost three round trips and a plan made for batches, four times a bare INSERT. Now what the recorder
-- knows about a company carries a version, and one plain function writes the event if that version still holds.

-- Whatever a recorder may have read and kept moves the version: accounts, currency, time zone, tokens.
CREATE FUNCTION ledger_move_books_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE ledger_company SET books_version = books_version + 1
    WHERE id = CASE TG_OP WHEN 'INSERT' THEN NEW.company_id ELSE OLD.company_id END;
    RETURN NULL;
END $$;

CREATE FUNCTION ledger_move_own_books_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.books_version := OLD.books_version + 1;
    RETURN NEW;
END $$;

CREATE TRIGGER books_change_with_the_company BEFORE UPDATE OF slug, name, base_currency, timezone ON ledger_company
    FOR EACH ROW EXECUTE FUNCTION ledger_move_own_books_version();
CREATE TRIGGER books_change_with_an_account AFTER INSERT OR UPDATE OR DELETE ON ledger_account
    FOR EACH ROW EXECUTE FUNCTION ledger_move_books_version();
-- Not with last_used_at, which moves every minute.
CREATE TRIGGER books_change_with_a_token
    AFTER UPDATE OF company_id, name, token_sha256, scopes, revoked_at OR DELETE ON ledger_apitoken
    FOR EACH ROW EXECUTE FUNCTION ledger_move_books_version();

-- What ledger_record does, for one event without a revision: returns its position, NULL when something stands in the
-- way (ask ledger_compare). Objects first, the head row last, as there. Raises CS001 when the books have changed.
CREATE FUNCTION ledger_record_one(
    p_company bigint, p_books_version bigint, p_recorded_at timestamptz, p_actor text,
    p_event_id bytea, p_account bigint, p_source text, p_event_type text, p_direction text,
    p_amount numeric, p_currency text, p_occurred_at timestamptz, p_category text, p_counterparty text,
    p_external_ref text, p_metadata jsonb, p_base_amount numeric, p_fx_rate numeric, p_fx_source text,
    p_fx_at timestamptz
) RETURNS bigint LANGUAGE plpgsql SET lock_timeout = '3s' AS $$
DECLARE
    v_position bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM ledger_source WHERE company_id = p_company AND name = p_source) THEN
        INSERT INTO ledger_source (company_id, name, first_seen_at) VALUES (p_company, p_source, p_recorded_at)
        ON CONFLICT DO NOTHING;
    END IF;
    INSERT INTO ledger_externalobject (
        company_id, account_id, source, event_type, direction, external_ref, twin,
        event_id, occurred_at, amount, currency, revision, reversed
    ) VALUES (
        p_company, p_account, p_source, p_event_type, p_direction, p_external_ref,
        CASE p_external_ref WHEN '' THEN p_event_id ELSE '' END,
        p_event_id, p_occurred_at, p_amount, p_currency, 0, false
    ) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    UPDATE ledger_journalhead SET position = position + 1
    WHERE company_id = p_company RETURNING position INTO v_position;
    -- Under the lock: a change of accounts or currency takes it too, so what is read here holds until the commit.
    IF v_position IS NULL
       OR NOT EXISTS (SELECT FROM ledger_company WHERE id = p_company AND books_version = p_books_version) THEN
        RAISE EXCEPTION 'the books of company % have changed', p_company USING ERRCODE = 'CS001';
    END IF;
    INSERT INTO ledger_capitalevent (
        company_id, position, account_id, occurred_at, recorded_at, fx_at, revision, event_id, source,
        event_type, direction, amount, currency, base_amount, fx_rate, fx_source, category, counterparty,
        external_ref, metadata, reverses, actor, reason
    ) VALUES (
        p_company, v_position, p_account, p_occurred_at, p_recorded_at, p_fx_at, 0, p_event_id, p_source,
        p_event_type, p_direction, p_amount, p_currency, p_base_amount, p_fx_rate, p_fx_source, p_category,
        p_counterparty, p_external_ref, p_metadata, NULL, p_actor, ''
    );
    RETURN v_position;
END $$;
