"""The plain tables of the baselines: no check, no partition, no position."""

_COLUMNS = """
    source text, event_type text, amount numeric(20, 6), currency text, occurred_at timestamptz, account text,
    category text, counterparty text, external_ref text
"""
BARE_TABLE = f"""
create table if not exists bench_bare_event (id bigint generated always as identity primary key, {_COLUMNS})
"""

# What a client needs to load events once and only once: one table with the unique key of the ledger's objects.
KEYED_TABLE = f"""
create table if not exists bench_keyed_event (
    company_id bigint, account_id bigint, direction text, twin bytea, {_COLUMNS},
    primary key (company_id, account_id, source, event_type, direction, external_ref, twin)
)
"""
STAGING_TABLE = f"create temporary table if not exists bench_staging ({_COLUMNS}) on commit delete rows"
INSERT_STAGED = r"""
insert into bench_keyed_event
select 1, 1, case event_type when 'expense' then 'out' else 'in' end, '\x'::bytea, s.* from bench_staging s
on conflict do nothing
"""
