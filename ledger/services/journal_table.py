"""The two questions the recorder asks the database: write these, and what stands in the way of those."""

import json
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from django.db import DatabaseError, connection, transaction

from ledger.domain.identity import utc_text
from ledger.selectors.books import Books
from ledger.services.journal_rows import JournalRow, copy_text, draft_values, few_values, one_values

# Up to here rows travel as parameters, beyond as a COPY into a table of the session: a third of the time per row.
MOST_ROWS_AS_PARAMETERS = 20

_COLUMNS_OF_DRAFT = 19
_ROW = f"ROW({', '.join(['%s'] * _COLUMNS_OF_DRAFT)})::ledger_draft"
# Prepared once per connection. The casts name the function's types, which psycopg does not know.
_WRITE_ONE = """
    SELECT ledger_record_one(
        %s, %s, %s, %s::text, %s, %s, %s::text, %s::text, %s::text, %s::numeric, %s::text, %s, %s::text, %s::text,
        %s::text, %s::jsonb, %s::numeric, %s::numeric, %s::text, %s
    )
"""
_WRITE_FEW = "SELECT ledger_record_few(%s, %s, %s, %s::text[], %s::json)"
_BOOKS_CHANGED = "CS001"
_STAGE = "CREATE TEMPORARY TABLE IF NOT EXISTS ledger_staging OF ledger_draft ON COMMIT DELETE ROWS"
_STAGED = "ARRAY(SELECT ROW(d.*)::ledger_draft FROM ledger_staging d)"


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands in the way of a draft.

    Attributes:
        status: duplicate, conflict or revise.
        event_id, occurred_at: of the event that is there.
        revision: under which other content may follow, when the status is revise.
        differs: names of the fields that differ.
    """

    ordinal: int
    status: str
    event_id: bytes
    occurred_at: datetime
    revision: int
    differs: tuple[str, ...]


def write_one(row: JournalRow, *, company_id: int, books: Books, actor: str, now: datetime) -> int | None:
    """Write one row that relies on books read earlier; return its position, None when it was not new.

    None also when the books are not those any more, e.g. because the token that led to them is revoked.
    """
    values = (company_id, books.version, now, actor, *one_values(row))
    # Inside a transaction of the caller a refusal must not spoil the whole.
    guard = transaction.atomic() if connection.in_atomic_block else nullcontext()
    try:
        with guard:
            ((position,),) = _prepared(_WRITE_ONE, values)
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", None) == _BOOKS_CHANGED:
            return None
        raise
    return None if position is None else int(position)


def write_few(
    arrivals: Sequence[tuple[JournalRow, str, datetime]], *, company_id: int, books_version: int
) -> int | None:
    """Write rows, each with its actor and its time, no two with the same object, all of them or none.

    Return the position before the first, None when one of them is not new. Their books were read earlier.

    Raises:
        DatabaseError: among others when the books are not those any more.
    """
    sources = sorted({row.draft.source for row, _, _ in arrivals})
    rows = [
        few_values(row) | {"ordinal": ordinal, "actor": actor, "recorded_at": utc_text(now)}
        for ordinal, (row, actor, now) in enumerate(arrivals)
    ]
    values = (company_id, books_version, arrivals[0][2], sources, json.dumps(rows))
    ((before,),) = _prepared(_WRITE_FEW, values)
    return None if before is None else int(before)


def _prepared(sql: str, values: Sequence[Any]) -> list[tuple]:
    """Run a prepared statement: for a single event, planning took half of the time."""
    connection.validate_no_broken_transaction()
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        return cursor.execute(sql, values, prepare=True).fetchall()


def write_rows(
    rows: Sequence[JournalRow], *, company_id: int, base_currency: str, actor: str, now: datetime
) -> dict[int, int]:
    """Write rows, no two with the same object; return {ordinal: position} of those that were new.

    More than a few rows need a transaction around the call.
    """
    drafts, values = _drafts(rows)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT ordinal, position FROM ledger_record(%s, %s, %s, %s, {drafts})",  # noqa: S608
            [company_id, base_currency, now, actor, *values],
        )
        return dict(cursor.fetchall())


def compare_rows(rows: Sequence[JournalRow], *, company_id: int) -> list[Standing]:
    """Return what stands in the way of rows that were not written."""
    drafts, values = _drafts(rows)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ordinal, status, event_id, occurred_at, revision, differs "  # noqa: S608
            f"FROM ledger_compare(%s, {drafts})",
            [company_id, *values],
        )
        return [
            Standing(ordinal, status, bytes(event_id), occurred_at, revision, tuple(differs))
            for ordinal, status, event_id, occurred_at, revision, differs in cursor.fetchall()
        ]


def _drafts(rows: Sequence[JournalRow]) -> tuple[str, list]:
    """Return an SQL expression of type ledger_draft[] and its parameters."""
    if len(rows) <= MOST_ROWS_AS_PARAMETERS:
        return f"ARRAY[{', '.join([_ROW] * len(rows))}]", [value for row in rows for value in draft_values(row)]
    with connection.cursor() as cursor:
        cursor.execute(_STAGE)
        cursor.execute("TRUNCATE ledger_staging")
        with cursor.copy("COPY ledger_staging FROM STDIN") as copy:
            copy.write(copy_text(rows))
    return _STAGED, []
