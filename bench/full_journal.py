"""A long journal made inside the database: rows like the recorder's, with their objects, but made-up event ids."""

import psycopg

ROWS_PER_STEP = 250_000
DAYS = 730

# Amounts, vendors and days repeat, positions and references do not. The last two years, a third of it income.
_EVENTS = """
    INSERT INTO ledger_capitalevent (
        company_id, position, account_id, occurred_at, recorded_at, fx_at, revision, event_id, source,
        event_type, direction, amount, currency, base_amount, fx_rate, fx_source, category, counterparty,
        external_ref, metadata, reverses, actor, reason
    )
    SELECT %(company)s, n, %(account)s, t.at, now(), t.at, 0, sha256(convert_to('made ' || n, 'UTF8')), 'card',
           CASE n %% 3 WHEN 0 THEN 'income' ELSE 'expense' END, CASE n %% 3 WHEN 0 THEN 'in' ELSE 'out' END,
           n %% 9000 + 1.25, 'USD', n %% 9000 + 1.25, 1, 'same', 'saas', 'Vendor ' || n %% %(vendors)s,
           'made-' || n, '{}', NULL, 'made', ''
    FROM generate_series(%(after)s + 1, %(until)s) n,
         LATERAL (SELECT date_trunc('day', now()) - n %% %(days)s * interval '1 day'
                         - n %% 80000 * interval '1 second' AS at) t
"""
_OBJECTS = """
    INSERT INTO ledger_externalobject (
        company_id, account_id, source, event_type, direction, external_ref, twin, event_id, occurred_at, amount,
        currency, revision, reversed
    )
    SELECT company_id, account_id, source, event_type, direction, external_ref, '', event_id, occurred_at, amount,
           currency, 0, false
    FROM ledger_journal_between(%(company)s, %(after)s, %(until)s)
"""


def fill_journal(connection: psycopg.Connection, *, company_id: int, rows: int, vendors: int = 20) -> None:
    """Append rows to an empty journal of a company with one account, in steps that commit."""
    row = connection.execute("SELECT id FROM ledger_account WHERE company_id = %s", [company_id]).fetchone()
    assert row is not None
    connection.execute(
        "INSERT INTO ledger_source (company_id, name, first_seen_at) VALUES (%s, 'card', now())"
        " ON CONFLICT DO NOTHING",
        [company_id],
    )
    for after in range(0, rows, ROWS_PER_STEP):
        until = min(rows, after + ROWS_PER_STEP)
        values = {
            "company": company_id,
            "account": row[0],
            "after": after,
            "until": until,
            "days": DAYS,
            "vendors": vendors,
        }
        with connection.transaction():
            connection.execute("SET LOCAL synchronous_commit = off")
            connection.execute(_EVENTS, values)
            connection.execute(_OBJECTS, values)
            connection.execute(
                "UPDATE ledger_journalhead SET position = %s WHERE company_id = %s", [until, company_id]
            )
    connection.execute("VACUUM ANALYZE ledger_capitalevent, ledger_externalobject")
