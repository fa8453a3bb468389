"""The plain table of the baselines: no key but a number, no check, no partition."""

BARE_TABLE = """
create table if not exists bench_bare_event (
    id bigint generated always as identity primary key, source text, event_type text, amount numeric(20, 6),
    currency text, occurred_at timestamptz, account text, category text, counterparty text, external_ref text)
"""
