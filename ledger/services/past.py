"""The books as they were known at an instant, for everybody who reads books.

A past state is put in front of the present one: for one transaction, temporary tables of the same names hold what
was known then, and `search_path` finds them first. So whoever reads daily flows, balances, grants or the journal's
position reads the past with the very code that read it when it was the present, and no reader has an "as known"
variant that could differ. The transaction is rolled back, and the present is back in front.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from ledger.services.daily_flows import catch_up

# Sums are made anew from the journal, by the same statement that made them; the readings are those of then.
_SUMS = ("ledger_dailyflow", "ledger_accountday", "ledger_dailyflowcursor", "ledger_contractreceipt")
_SHADOWS = {
    "ledger_journalhead": "SELECT * FROM ledger_journalhead WHERE company_id = %(company)s",
    "ledger_balancestatement": """
        SELECT * FROM ledger_balancestatement WHERE company_id = %(company)s AND recorded_at <= %(known_at)s
    """,
    "ledger_creditgrantstatement": """
        SELECT * FROM ledger_creditgrantstatement WHERE company_id = %(company)s AND recorded_at <= %(known_at)s
    """,
    # The lines of a bill that was replaced since are gone, so what it credited counts on the day of its event.
    "ledger_cloudbill": """
        SELECT * FROM ledger_cloudbill WHERE company_id = %(company)s AND imported_at <= %(known_at)s
    """,
    "ledger_serviceperiod": """
        SELECT * FROM ledger_serviceperiod WHERE company_id = %(company)s AND recorded_at <= %(known_at)s
    """,
    "ledger_creditnote": """
        SELECT * FROM ledger_creditnote WHERE company_id = %(company)s AND recorded_at <= %(known_at)s
    """,
    "ledger_settledinvoice": """
        SELECT * FROM ledger_settledinvoice WHERE company_id = %(company)s AND recorded_at <= %(known_at)s
    """,
    "ledger_loweredbalance": """
        SELECT * FROM ledger_loweredbalance WHERE company_id = %(company)s AND recorded_at <= %(known_at)s
    """,
    # Whoever asks whether an event stands asks its object; these are the events that they ask about.
    "ledger_externalobject": """
        WITH known AS MATERIALIZED (SELECT * FROM ledger_journal_between(%(company)s, 0, %(position)s))
        SELECT company_id, account_id, source, event_type, direction, external_ref,
               CASE external_ref WHEN '' THEN event_id ELSE ''::bytea END AS twin,
               event_id, occurred_at, amount, currency, revision, false AS reversed
        FROM known e
        WHERE reverses IS NULL AND (event_type = 'income' OR category = 'payroll_tax' OR metadata ? 'refund_of')
          AND NOT EXISTS (SELECT FROM known later WHERE later.reverses = e.event_id)
    """,
    "ledger_eventreading": """
        WITH names AS (
            SELECT DISTINCT ON (event_id) event_id, nullif(category, '') AS category,
                   nullif(counterparty, '') AS counterparty
            FROM ledger_categoryassignment
            WHERE company_id = %(company)s AND assigned_at <= %(known_at)s
            ORDER BY event_id, revision DESC
        ), types AS (
            SELECT l.event_id, 'transfer'::varchar(10) AS event_type
            FROM ledger_transfermatch m
            JOIN ledger_transferleg l
              ON l.company_id = m.company_id AND l.position IN (m.out_position, m.in_position)
            WHERE m.company_id = %(company)s AND m.matched_at <= %(known_at)s
              AND (m.ended_at IS NULL OR m.ended_at > %(known_at)s) AND l.event_type <> 'transfer'
        )
        SELECT %(company)s::bigint AS company_id, event_id, t.event_type, n.category, n.counterparty
        FROM names n FULL JOIN types t USING (event_id)
    """,
}


@contextmanager
def books_as_known(*, company_id: int, position: int, known_at: datetime) -> Iterator[None]:
    """Within the block, one company's books read as they were known; nothing that is written there stays.

    Args:
        position: how far the journal was known (`position_known_at`).
        known_at: statements, matches, assigned categories and bills recorded later are not seen.

    What is not kept in versions is as it is now: the company's currency and time zone, the kinds of its accounts.
    The journal up to `position` is summed anew, some microseconds an event.
    """
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        with connection.cursor() as cursor:
            if outermost:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            _cover(cursor, {"company": company_id, "position": position, "known_at": known_at})
            cursor.execute("UPDATE pg_temp.ledger_journalhead SET position = %s", [position])
        try:
            catch_up(company_id=company_id)
            yield
        finally:
            transaction.set_rollback(True)


def shadow(cursor: Any, *, table: str, rows: str, values: dict[str, Any]) -> None:
    """Within `books_as_known`, let a table of the same name with these rows stand before a real one.

    Args:
        table, rows: constants of the code, never what somebody sent.
    """
    cursor.execute(f"CREATE TEMP TABLE {table} ON COMMIT DROP AS {rows}", values)


def _cover(cursor: Any, values: dict[str, Any]) -> None:
    for table in _SUMS:
        cursor.execute(f"CREATE TEMP TABLE {table} (LIKE {table} INCLUDING ALL) ON COMMIT DROP")
    for table, rows in _SHADOWS.items():
        shadow(cursor, table=table, rows=rows, values=values)
    cursor.execute("CREATE INDEX ON pg_temp.ledger_externalobject (source, external_ref)")
    cursor.execute("ANALYZE pg_temp.ledger_externalobject")
    # Naming the temporary schema changes the path, so that no statement planned before is used unchanged.
    cursor.execute("SELECT set_config('search_path', 'pg_temp, ' || current_setting('search_path'), true)")
