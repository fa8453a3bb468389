-- Draining the DEFAULT partition locked the whole journal while its rows were copied; now they are copied beside the
-- running recorders, and the journal is locked only while the tables change places.

-- Two who drain wait for each other, and nobody else waits for them; the number is arbitrary and only ours.
CREATE FUNCTION ledger_lock_draining() RETURNS void LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock(7205759403792793602)
$$;

-- A month whose rows lie in the DEFAULT partition cannot be attached. Saying so at once, before any lock, lets its
-- recorder go on into the DEFAULT partition instead of waiting for a drain that holds it.
CREATE OR REPLACE FUNCTION ledger_make_partition(p_month date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_leaf text := 'ledger_capitalevent_y' || to_char(p_month, 'YYYY') || 'm' || to_char(p_month, 'MM');
    v_from timestamptz := p_month::timestamp AT TIME ZONE 'UTC';
    v_to timestamptz := (p_month + interval '1 month')::timestamp AT TIME ZONE 'UTC';
BEGIN
    IF extract(day FROM p_month) <> 1 THEN
        RAISE EXCEPTION 'a partition begins on the first of a month, not on %', p_month
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF to_regclass(v_leaf) IS NOT NULL THEN
        RETURN false;
    END IF;
    IF EXISTS (SELECT FROM ledger_capitalevent_default WHERE occurred_at >= v_from AND occurred_at < v_to) THEN
        RAISE EXCEPTION 'rows of % lie in the DEFAULT partition: drain it first', to_char(p_month, 'YYYY-MM')
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    PERFORM ledger_lock_partitions();
    IF to_regclass(v_leaf) IS NOT NULL THEN
        RETURN false;
    END IF;
    -- Attached, not created in place: recorders keep writing to the other months meanwhile.
    EXECUTE format('CREATE TABLE %I (LIKE ledger_capitalevent INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', v_leaf);
    EXECUTE format('ALTER TABLE ledger_capitalevent ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                   v_leaf, v_from, v_to);
    PERFORM ledger_dress_leaf(v_leaf::regclass);
    RETURN true;
END $$;

-- Make a table for every month that has rows in the DEFAULT partition and copy those that are not there already. The
-- tables are no partitions yet: until the commit nobody else sees them.
CREATE FUNCTION ledger_copy_default_partition() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_month date;
    v_table text;
    v_from timestamptz;
    v_to timestamptz;
BEGIN
    FOR v_month IN
        SELECT DISTINCT date_trunc('month', occurred_at AT TIME ZONE 'UTC')::date
        FROM ledger_capitalevent_default ORDER BY 1
    LOOP
        v_table := 'ledger_capitalevent_y' || to_char(v_month, 'YYYY') || 'm' || to_char(v_month, 'MM');
        v_from := v_month::timestamp AT TIME ZONE 'UTC';
        v_to := (v_month + interval '1 month')::timestamp AT TIME ZONE 'UTC';
        IF to_regclass(v_table) IS NULL THEN
            EXECUTE format('CREATE TABLE %I (LIKE ledger_capitalevent INCLUDING DEFAULTS INCLUDING CONSTRAINTS'
                           ' INCLUDING INDEXES)', v_table);
            -- The partition's bounds as a CHECK: with it, attaching need not read the rows under its lock.
            EXECUTE format('ALTER TABLE %I ADD CONSTRAINT month_while_draining'
                           ' CHECK (occurred_at >= %L AND occurred_at < %L)', v_table, v_from, v_to);
        END IF;
        EXECUTE format(
            'INSERT INTO %I SELECT d.* FROM ledger_capitalevent_default d'
            ' WHERE d.occurred_at >= $1 AND d.occurred_at < $2 AND NOT EXISTS ('
            'SELECT FROM %I t WHERE t.company_id = d.company_id AND t.event_id = d.event_id'
            ' AND t.occurred_at = d.occurred_at)', v_table, v_table) USING v_from, v_to;
    END LOOP;
END $$;

-- Move the rows of the DEFAULT partition into months of their own; returns how many moved. DELETE is refused by
-- trigger, so the rows are copied beside it, and then, under one short lock: what came meanwhile is copied too, every
-- row is counted, the net is taken off, the months and an empty net are attached, the old net is dropped. All of it
-- is one transaction: readers see each row once, before and after, and a crash leaves everything as it was.
--
-- The lock is asked for half a second at a time, so that those who queue behind it never wait longer for it.
CREATE OR REPLACE FUNCTION ledger_drain_default_partition() RETURNS bigint LANGUAGE plpgsql
SET lock_timeout = '500ms' AS $$
DECLARE
    v_month date;
    v_table text;
    v_held bigint;
    v_rows bigint;
    v_moved bigint := 0;
    v_attempt integer := 1;
BEGIN
    PERFORM ledger_lock_draining();
    IF NOT EXISTS (SELECT FROM ledger_capitalevent_default) THEN
        RETURN 0;
    END IF;
    PERFORM ledger_copy_default_partition();
    LOOP
        BEGIN
            PERFORM ledger_lock_partitions();
            LOCK TABLE ledger_capitalevent IN ACCESS EXCLUSIVE MODE;
            EXIT;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            IF v_attempt = 20 THEN
                RAISE;
            END IF;
            v_attempt := v_attempt + 1;
            PERFORM pg_sleep(0.05 + random() * 0.2);
        END;
    END LOOP;
    -- From here to the commit nobody reads or writes.
    PERFORM ledger_copy_default_partition();
    SELECT count(*) INTO v_held FROM ledger_capitalevent_default;
    ALTER TABLE ledger_capitalevent DETACH PARTITION ledger_capitalevent_default;
    ALTER TABLE ledger_capitalevent_default RENAME TO ledger_capitalevent_drained;
    -- Constraints and indexes carry the table's name; the next DEFAULT partition needs it.
    ALTER INDEX ledger_capitalevent_default_pkey RENAME TO ledger_capitalevent_drained_pkey;
    FOR v_month IN
        SELECT DISTINCT date_trunc('month', occurred_at AT TIME ZONE 'UTC')::date
        FROM ledger_capitalevent_drained ORDER BY 1
    LOOP
        v_table := 'ledger_capitalevent_y' || to_char(v_month, 'YYYY') || 'm' || to_char(v_month, 'MM');
        EXECUTE format('SELECT count(*) FROM %I', v_table) INTO v_rows;
        v_moved := v_moved + v_rows;
        EXECUTE format('ALTER TABLE ledger_capitalevent ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                       v_table, v_month::timestamp AT TIME ZONE 'UTC',
                       (v_month + interval '1 month')::timestamp AT TIME ZONE 'UTC');
        EXECUTE format('ALTER TABLE %I DROP CONSTRAINT month_while_draining', v_table);
        PERFORM ledger_dress_leaf(v_table::regclass);
    END LOOP;
    IF v_moved <> v_held THEN
        RAISE EXCEPTION 'draining moved % of % rows', v_moved, v_held;
    END IF;
    PERFORM ledger_make_default_partition();
    DROP TABLE ledger_capitalevent_drained;
    RETURN v_moved;
END $$;
