"""Reading the journal and its seals as the chain sees them."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import starmap
from typing import Any

from django.db import connection, transaction

from ledger.domain.chain import COLUMNS
from ledger.domain.chain_check import Span

ROWS_PER_FETCH = 5_000
SEALS_PER_FETCH = 50

# How a column's canonical text is made, where it is not the column's own text. PostgreSQL's functions only: one of
# ours could have been exchanged together with a row.
_INSTANT = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
_TEXTS = {
    "occurred_at": _INSTANT,
    "recorded_at": _INSTANT,
    "fx_at": _INSTANT,
    "event_id": "encode({}, 'hex')",
    "reverses": "encode({}, 'hex')",
}
_ROWS = f"""
    SELECT {", ".join(_TEXTS.get(name, "{}::text").format(f"e.{name}") for name in COLUMNS)}
    FROM ledger_capitalevent e WHERE e.company_id = %s AND e.position <= %s ORDER BY e.position, e.event_id
"""  # noqa: S608 - made of constants
_SEALS = """
    SELECT first_position, last_position, digests, head FROM ledger_seal
    WHERE company_id = %s ORDER BY first_position
"""
# Beyond every position there can be.
_NO_END = 2**63 - 1


@contextmanager
def one_snapshot() -> Iterator[None]:
    """See the database in one state throughout, however long it takes; others go on writing.

    Inside a transaction of the caller it does nothing.
    """
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def chain_rows(*, company_id: int, until: int = _NO_END) -> Iterator[tuple[str | None, ...]]:
    """Yield the canonical texts of every row of a company, in the order of positions; needs a transaction."""
    yield from _streamed(_ROWS, [company_id, until], ROWS_PER_FETCH)


def seals(*, company_id: int) -> Iterator[Span]:
    """Yield the seals of a company in order; needs a transaction."""
    rows = _streamed(_SEALS, [company_id], SEALS_PER_FETCH)
    yield from starmap(Span, ((first, last, bytes(digests), bytes(head)) for first, last, digests, head in rows))


def _streamed(sql: str, values: list[Any], rows_per_fetch: int) -> Iterator[tuple]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, values)
        while rows := cursor.fetchmany(rows_per_fetch):
            yield from rows
