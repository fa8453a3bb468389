-- There was no journal; now there is one table, partitioned by UTC month, that nothing but an INSERT can change.

CREATE TABLE ledger_capitalevent (
    -- Fixed widths first: no padding between columns.
    company_id   bigint         NOT NULL,
    position     bigint         NOT NULL,
    account_id   bigint         NOT NULL,
    occurred_at  timestamptz    NOT NULL,
    recorded_at  timestamptz    NOT NULL,
    fx_at        timestamptz    NOT NULL,
    revision     integer        NOT NULL,
    event_id     bytea          NOT NULL,
    source       varchar(64)    NOT NULL,
    event_type   varchar(10)    NOT NULL,
    direction    varchar(3)     NOT NULL,
    amount       numeric(20, 6) NOT NULL,
    currency     varchar(3)     NOT NULL,
    base_amount  numeric(20, 6) NOT NULL,
    fx_rate      numeric(24, 12) NOT NULL,
    fx_source    varchar(32)    NOT NULL,
    category     varchar(255)   NOT NULL,
    counterparty varchar(255)   NOT NULL,
    external_ref varchar(255)   NOT NULL,
    metadata     jsonb          NOT NULL,
    reverses     bytea,
    actor        varchar(255)   NOT NULL,
    reason       varchar(255)   NOT NULL,
    CONSTRAINT ledger_capitalevent_pkey PRIMARY KEY (company_id, event_id, occurred_at),
    CONSTRAINT event_position_is_positive CHECK (position > 0),
    CONSTRAINT event_id_is_a_sha256 CHECK (octet_length(event_id) = 32),
    CONSTRAINT event_source_is_named CHECK (source <> ''),
    CONSTRAINT event_type_is_known
        CHECK (event_type IN ('expense', 'income', 'credit', 'adjustment', 'transfer')),
    CONSTRAINT event_direction_is_known CHECK (direction IN ('in', 'out')),
    -- A reversal runs against the direction that its type implies.
    CONSTRAINT event_direction_fits_type CHECK (
        event_type IN ('adjustment', 'transfer')
        OR (direction = CASE event_type WHEN 'expense' THEN 'out' ELSE 'in' END) = (reverses IS NULL)
    ),
    -- NaN counts as greater than every number: the upper bound is what keeps it out.
    CONSTRAINT event_amount_is_positive_and_finite CHECK (amount > 0 AND amount < 'Infinity'),
    CONSTRAINT event_base_amount_is_finite CHECK (base_amount >= 0 AND base_amount < 'Infinity'),
    CONSTRAINT event_fx_rate_is_positive_and_finite CHECK (fx_rate > 0 AND fx_rate < 'Infinity'),
    CONSTRAINT event_currency_is_a_code CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT event_occurred_at_is_plausible CHECK (occurred_at >= '1999-01-01 00:00:00+00'),
    CONSTRAINT event_metadata_is_object_or_text CHECK (jsonb_typeof(metadata) IN ('object', 'string')),
    CONSTRAINT event_revision_is_not_negative CHECK (revision >= 0),
    CONSTRAINT event_reverses_a_sha256 CHECK (octet_length(reverses) = 32),
    CONSTRAINT reversal_has_a_reason CHECK (reverses IS NULL OR reason <> '')
) PARTITION BY RANGE (occurred_at);

CREATE INDEX ledger_capitalevent_position ON ledger_capitalevent (company_id, position);
CREATE INDEX ledger_capitalevent_by_source
    ON ledger_capitalevent (company_id, source, event_type, occurred_at) INCLUDE (direction, base_amount);
CREATE INDEX ledger_capitalevent_occurred_at
    ON ledger_capitalevent USING brin (occurred_at) WITH (pages_per_range = 32, autosummarize = on);

CREATE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the journal is append-only: % on % is refused; correct by reversal', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

-- PostgreSQL copies a row trigger to every leaf, also to later ones; a TRUNCATE trigger it does not.
CREATE TRIGGER journal_refuses_change BEFORE UPDATE OR DELETE ON ledger_capitalevent
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
ALTER TABLE ledger_capitalevent ENABLE ALWAYS TRIGGER journal_refuses_change;
CREATE TRIGGER journal_refuses_truncate BEFORE TRUNCATE ON ledger_capitalevent
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
ALTER TABLE ledger_capitalevent ENABLE ALWAYS TRIGGER journal_refuses_truncate;

-- What every leaf has and does not inherit.
CREATE FUNCTION ledger_dress_leaf(p_leaf regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s SET (autovacuum_vacuum_scale_factor = 0.05)', p_leaf);
    EXECUTE format('CREATE TRIGGER journal_refuses_truncate BEFORE TRUNCATE ON %s '
                   'FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change()', p_leaf);
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER journal_refuses_truncate', p_leaf);
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER journal_refuses_change', p_leaf);
END $$;

-- One maker of partitions at a time; the number is arbitrary and only ours.
CREATE FUNCTION ledger_lock_partitions() RETURNS void LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock(7205759403792793601)
$$;

-- Make the partition of the month that begins on p_month; false when it is there already.
CREATE FUNCTION ledger_make_partition(p_month date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_leaf text := 'ledger_capitalevent_y' || to_char(p_month, 'YYYY') || 'm' || to_char(p_month, 'MM');
BEGIN
    IF extract(day FROM p_month) <> 1 THEN
        RAISE EXCEPTION 'a partition begins on the first of a month, not on %', p_month
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF to_regclass(v_leaf) IS NOT NULL THEN
        RETURN false;
    END IF;
    PERFORM ledger_lock_partitions();
    IF to_regclass(v_leaf) IS NOT NULL THEN
        RETURN false;
    END IF;
    -- Attached, not created in place: recorders keep writing to the other months meanwhile.
    EXECUTE format('CREATE TABLE %I (LIKE ledger_capitalevent INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', v_leaf);
    EXECUTE format('ALTER TABLE ledger_capitalevent ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                   v_leaf,
                   p_month::timestamp AT TIME ZONE 'UTC',
                   (p_month + interval '1 month')::timestamp AT TIME ZONE 'UTC');
    PERFORM ledger_dress_leaf(v_leaf::regclass);
    RETURN true;
END $$;

-- Rows of months that nobody made fall into a net, which must stay empty.
CREATE FUNCTION ledger_make_default_partition() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    CREATE TABLE ledger_capitalevent_default
        (LIKE ledger_capitalevent INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
    ALTER TABLE ledger_capitalevent ATTACH PARTITION ledger_capitalevent_default DEFAULT;
    PERFORM ledger_dress_leaf('ledger_capitalevent_default'::regclass);
END $$;

-- Move the rows of the DEFAULT partition into months of their own; returns how many moved. DELETE is refused by
-- trigger, so the net is taken off, its rows are copied, and it is dropped once every row was counted in.
CREATE FUNCTION ledger_drain_default_partition() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_month date;
    v_held bigint;
    v_moved bigint;
BEGIN
    PERFORM ledger_lock_partitions();
    IF NOT EXISTS (SELECT FROM ledger_capitalevent_default) THEN
        RETURN 0;
    END IF;
    LOCK TABLE ledger_capitalevent IN ACCESS EXCLUSIVE MODE;
    ALTER TABLE ledger_capitalevent DETACH PARTITION ledger_capitalevent_default;
    ALTER TABLE ledger_capitalevent_default RENAME TO ledger_capitalevent_drained;
    -- Constraints and indexes carry the table's name; the next DEFAULT partition needs it.
    ALTER INDEX ledger_capitalevent_default_pkey RENAME TO ledger_capitalevent_drained_pkey;
    FOR v_month IN
        SELECT DISTINCT date_trunc('month', occurred_at AT TIME ZONE 'UTC')::date
        FROM ledger_capitalevent_drained ORDER BY 1
    LOOP
        PERFORM ledger_make_partition(v_month);
    END LOOP;
    PERFORM ledger_make_default_partition();
    SELECT count(*) INTO v_held FROM ledger_capitalevent_drained;
    INSERT INTO ledger_capitalevent SELECT * FROM ledger_capitalevent_drained;
    GET DIAGNOSTICS v_moved = ROW_COUNT;
    IF v_moved <> v_held OR EXISTS (SELECT FROM ledger_capitalevent_default) THEN
        RAISE EXCEPTION 'draining moved % of % rows', v_moved, v_held;
    END IF;
    DROP TABLE ledger_capitalevent_drained;
    RETURN v_moved;
END $$;

SELECT ledger_make_default_partition();
SELECT ledger_make_partition((date_trunc('month', now() AT TIME ZONE 'UTC') + m * interval '1 month')::date)
FROM generate_series(-24, 18) AS m;

-- Take p_count positions and return the one before the first. This locks the company's head row until the commit, so
-- it comes last: position order is commit order. Under that lock it makes sure that what the caller read about the
-- company still holds, because a change of it takes the same lock (ledger_keep_referenced).
CREATE FUNCTION ledger_advance(p_company bigint, p_count bigint, p_base_currency text, p_accounts bigint[])
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_position bigint;
BEGIN
    UPDATE ledger_journalhead SET position = position + p_count
    WHERE company_id = p_company RETURNING position INTO v_position;
    IF NOT FOUND THEN
        INSERT INTO ledger_journalhead (company_id, position) VALUES (p_company, p_count)
        ON CONFLICT (company_id) DO UPDATE SET position = ledger_journalhead.position + p_count
        RETURNING position INTO v_position;
    END IF;
    PERFORM FROM ledger_company WHERE id = p_company AND base_currency = p_base_currency;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'company % is gone or keeps its books in another currency', p_company
            USING ERRCODE = 'serialization_failure';
    END IF;
    IF (SELECT count(*) FROM ledger_account WHERE id = ANY (p_accounts) AND company_id = p_company)
       <> cardinality(p_accounts) THEN
        RAISE EXCEPTION 'an account of company % is gone', p_company USING ERRCODE = 'serialization_failure';
    END IF;
    RETURN v_position - p_count;
END $$;

CREATE FUNCTION ledger_keep_referenced() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_company bigint := CASE TG_TABLE_NAME WHEN 'ledger_company' THEN OLD.id ELSE (to_jsonb(OLD) ->> 'company_id')::bigint END;
    v_position bigint;
BEGIN
    SELECT position INTO v_position FROM ledger_journalhead WHERE company_id = v_company FOR UPDATE;
    IF TG_TABLE_NAME = 'ledger_company' AND v_position > 0 THEN
        RAISE EXCEPTION 'company % has events: it can be neither deleted nor kept in another currency', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_TABLE_NAME = 'ledger_account'
       AND EXISTS (SELECT FROM ledger_externalobject WHERE company_id = v_company AND account_id = OLD.id) THEN
        RAISE EXCEPTION 'account % has events and cannot be deleted', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE TRIGGER company_with_events_stays BEFORE DELETE ON ledger_company
    FOR EACH ROW EXECUTE FUNCTION ledger_keep_referenced();
CREATE TRIGGER company_with_events_keeps_its_currency BEFORE UPDATE OF base_currency ON ledger_company
    FOR EACH ROW WHEN (OLD.base_currency IS DISTINCT FROM NEW.base_currency)
    EXECUTE FUNCTION ledger_keep_referenced();
CREATE TRIGGER account_with_events_stays BEFORE DELETE ON ledger_account
    FOR EACH ROW EXECUTE FUNCTION ledger_keep_referenced();

-- An event on its way into the journal. `now_assumed`: its sender named no time.
CREATE TYPE ledger_draft AS (
    ordinal      integer,
    event_id     bytea,
    account_id   bigint,
    source       text,
    event_type   text,
    direction    text,
    amount       numeric,
    currency     text,
    occurred_at  timestamptz,
    category     text,
    counterparty text,
    external_ref text,
    metadata     jsonb,
    base_amount  numeric,
    fx_rate      numeric,
    fx_source    text,
    fx_at        timestamptz,
    revision     integer,
    now_assumed  boolean
);

-- Record events of one company, no two with the same object. Returns a row per event that is new; about the others ask
-- ledger_compare. A draft with a revision above 0 follows an event that was taken back. Objects are inserted in the
-- order of their key, so two calls with the same objects wait and never deadlock.
CREATE FUNCTION ledger_record(
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
        FROM draft d
        WHERE d.revision > 0 AND o.reversed AND o.revision = d.revision - 1
          AND o.company_id = p_company AND o.account_id = d.account_id AND o.source = d.source
          AND o.event_type = d.event_type AND o.direction = d.direction AND o.external_ref = d.external_ref
          AND o.twin = ''
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

-- What stands in the way of events that ledger_record did not write. It is a call of its own, because only a statement
-- begun after the insert sees what others committed while the insert waited for them. A row per event:
--   duplicate  the same event is there, as event_id, dated occurred_at
--   conflict   the object is there with other content; `differs` names the fields
--   revise     the object's event was taken back and this has other content: record it as `revision`
-- LIMIT and the setting hold the planner to one look into the key per draft, also before the table has statistics:
-- without them it once joined the other way round, 900 us a row instead of 3.
CREATE FUNCTION ledger_compare(p_company bigint, p_drafts ledger_draft[]) RETURNS TABLE (
    ordinal integer, status text, event_id bytea, occurred_at timestamptz, revision integer, differs text[]
) LANGUAGE sql STABLE SET enable_seqscan = off AS $$
    SELECT d.ordinal,
           CASE WHEN o.event_id = d.event_id OR cardinality(x.differs) = 0 THEN 'duplicate'
                WHEN o.reversed THEN 'revise'
                ELSE 'conflict' END,
           o.event_id, o.occurred_at, o.revision + 1, x.differs
    FROM unnest(p_drafts) d
    CROSS JOIN LATERAL (
        SELECT * FROM ledger_externalobject o
        WHERE o.company_id = p_company AND o.account_id = d.account_id AND o.source = d.source
          AND o.event_type = d.event_type AND o.direction = d.direction AND o.external_ref = d.external_ref
          AND o.twin = CASE d.external_ref WHEN '' THEN d.event_id ELSE '' END
        LIMIT 1
    ) o
    CROSS JOIN LATERAL (
        SELECT array_remove(ARRAY[
            CASE WHEN o.amount <> d.amount THEN 'amount' END,
            CASE WHEN o.currency <> d.currency THEN 'currency' END,
            CASE WHEN o.occurred_at <> d.occurred_at AND NOT d.now_assumed THEN 'occurred_at' END
        ], NULL) AS differs
    ) x
$$;
