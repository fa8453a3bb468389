-- An event did not say which delivery it came by; now a row beside the journal says it for all events of a transaction,
-- for good, and cannot say it about others.

CREATE FUNCTION ledger_refuse_provenance_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'provenance is append-only: % on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER provenance_refuses_change BEFORE UPDATE OR DELETE ON ledger_provenance
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_provenance_change();
ALTER TABLE ledger_provenance ENABLE ALWAYS TRIGGER provenance_refuses_change;
CREATE TRIGGER provenance_refuses_truncate BEFORE TRUNCATE ON ledger_provenance
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_provenance_change();
ALTER TABLE ledger_provenance ENABLE ALWAYS TRIGGER provenance_refuses_truncate;

-- Positions of one transaction are consecutive and the last ones: it holds the head row until it commits. So a row that
-- ends at the head, and begins behind the row before it, is about events of whoever writes it.
CREATE FUNCTION ledger_check_provenance() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_head bigint;
    v_taken bigint;
BEGIN
    SELECT position INTO v_head FROM ledger_journalhead WHERE company_id = NEW.company_id FOR UPDATE;
    SELECT last_position INTO v_taken FROM ledger_provenance
    WHERE company_id = NEW.company_id ORDER BY first_position DESC LIMIT 1;
    IF NEW.last_position IS DISTINCT FROM v_head OR NEW.first_position <= v_taken THEN
        RAISE EXCEPTION 'positions % to % of company % are not those of the last events',
            NEW.first_position, NEW.last_position, NEW.company_id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER provenance_is_of_the_last_events BEFORE INSERT ON ledger_provenance
    FOR EACH ROW EXECUTE FUNCTION ledger_check_provenance();
ALTER TABLE ledger_provenance ENABLE ALWAYS TRIGGER provenance_is_of_the_last_events;
