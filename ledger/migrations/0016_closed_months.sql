-- Anything could be recorded into a month whose figures had been reported; now the database itself refuses an event in
-- a closed month that has no permission of its own, and a company without closed months pays nothing for it.

CREATE FUNCTION ledger_refuse_closing_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'closings are append-only: % on % is refused; add a row', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER closing_refuses_change BEFORE UPDATE OR DELETE ON ledger_monthclosing
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_closing_change();
ALTER TABLE ledger_monthclosing ENABLE ALWAYS TRIGGER closing_refuses_change;
CREATE TRIGGER closing_refuses_truncate BEFORE TRUNCATE ON ledger_monthclosing
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_closing_change();
ALTER TABLE ledger_monthclosing ENABLE ALWAYS TRIGGER closing_refuses_truncate;
CREATE TRIGGER closing_refuses_change BEFORE UPDATE OR DELETE ON ledger_closedmonthentry
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_closing_change();
ALTER TABLE ledger_closedmonthentry ENABLE ALWAYS TRIGGER closing_refuses_change;
CREATE TRIGGER closing_refuses_truncate BEFORE TRUNCATE ON ledger_closedmonthentry
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_closing_change();
ALTER TABLE ledger_closedmonthentry ENABLE ALWAYS TRIGGER closing_refuses_truncate;

-- The months of a company that are closed now.
CREATE FUNCTION ledger_closed_months(p_company bigint) RETURNS SETOF date LANGUAGE sql STABLE AS $$
    SELECT last.month FROM (
        SELECT DISTINCT ON (month) month, closed FROM ledger_monthclosing
        WHERE company_id = p_company ORDER BY month, id DESC
    ) last WHERE last.closed
$$;

-- A closing says behind which position it holds; the lock keeps recorders out until the commit.
CREATE FUNCTION ledger_note_closing_position() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT position INTO NEW.position FROM ledger_journalhead WHERE company_id = NEW.company_id FOR UPDATE;
    NEW.position := coalesce(NEW.position, 0);
    RETURN NEW;
END $$;
CREATE TRIGGER closing_notes_position BEFORE INSERT ON ledger_monthclosing
    FOR EACH ROW EXECUTE FUNCTION ledger_note_closing_position();
ALTER TABLE ledger_monthclosing ENABLE ALWAYS TRIGGER closing_notes_position;

-- A closing waits for whoever is recording and is seen by whoever records next: both lock the head row. What recorders
-- keep in memory about the company is out of date with it.
CREATE FUNCTION ledger_close_month() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE ledger_journalhead
    SET has_closed_months = EXISTS (SELECT FROM ledger_closed_months(NEW.company_id))
    WHERE company_id = NEW.company_id;
    UPDATE ledger_company SET books_version = books_version + 1 WHERE id = NEW.company_id;
    RETURN NULL;
END $$;
CREATE TRIGGER month_closes AFTER INSERT ON ledger_monthclosing
    FOR EACH ROW EXECUTE FUNCTION ledger_close_month();
ALTER TABLE ledger_monthclosing ENABLE ALWAYS TRIGGER month_closes;

-- Look at the rows that a move of the head has brought, when the transaction commits. The class of the error makes the
-- recorder try again, and then it knows of the closing.
CREATE FUNCTION ledger_refuse_closed_months() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_month date;
BEGIN
    SELECT added.month INTO v_month
    FROM (
        SELECT e.event_id, date_trunc('month', e.occurred_at AT TIME ZONE c.timezone)::date AS month
        FROM ledger_company c, ledger_journal_between(NEW.company_id, OLD.position, NEW.position) e
        WHERE c.id = NEW.company_id
    ) added
    WHERE added.month IN (SELECT ledger_closed_months(NEW.company_id))
      AND NOT EXISTS (SELECT FROM ledger_closedmonthentry p
                      WHERE p.company_id = NEW.company_id AND p.event_id = added.event_id)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'month % of company % is closed', to_char(v_month, 'YYYY-MM'), NEW.company_id
            USING ERRCODE = 'serialization_failure';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER closed_months_stay_closed AFTER UPDATE OF position ON ledger_journalhead
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.has_closed_months)
    EXECUTE FUNCTION ledger_refuse_closed_months();
ALTER TABLE ledger_journalhead ENABLE ALWAYS TRIGGER closed_months_stay_closed;
