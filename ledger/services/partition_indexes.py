"""Building an index on the journal while others record: one partition after the other, then attached.

`CREATE INDEX` on the journal itself would keep every recorder waiting until the last month is read, and PostgreSQL
builds no index CONCURRENTLY on a partitioned table. So the journal gets an empty index of that name first, each
partition gets its own one CONCURRENTLY, and what is built is attached; with the last of them the journal's index
becomes valid. Whatever was cut off is found by its name and gone on with.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from ledger.services.transient import try_again

JOURNAL = "ledger_capitalevent"
# Whoever records queues behind the one who waits for a lock, so nobody waits longer at a time.
LOCK_TIMEOUT = "500ms"

_IS_VALID = """
    SELECT x.indisvalid FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid
    WHERE c.relname = %s AND x.indrelid = %s::regclass
"""
_HAS_ROWS = f"SELECT EXISTS (SELECT FROM {JOURNAL})"  # noqa: S608 - a constant
# Partitions, and the index of each that is attached to the journal's.
_LEAVES = """
    SELECT leaf.relname, own.relname
    FROM pg_inherits part JOIN pg_class leaf ON leaf.oid = part.inhrelid
    LEFT JOIN (
        SELECT x.indrelid, c.relname FROM pg_inherits i
        JOIN pg_index x ON x.indexrelid = i.inhrelid JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = %s::regclass
    ) own ON own.indrelid = leaf.oid
    WHERE part.inhparent = %s::regclass
    ORDER BY leaf.relname
"""


@dataclass(frozen=True, slots=True)
class JournalIndex:
    """Attributes:
    name: of the journal's index; those of partitions begin with theirs and end with what follows the journal's.
    definition: what follows the table in `CREATE INDEX … ON …`, a constant of the code.
    """

    name: str
    definition: str

    def of(self, leaf: str) -> str:
        return f"{leaf}{self.name.removeprefix(JOURNAL)}"


def build(index: JournalIndex, *, on_built: Callable[[str], None] = lambda _: None) -> None:
    """Build an index on the journal without keeping recorders from it; outside of any transaction.

    Called again after it was cut off, it goes on; of an index that is complete it leaves everything as it is. An
    empty journal is not worth the way round.

    Args:
        on_built: called with the name of each partition as it has its index.

    Raises:
        OperationalError: a lock was not granted in half a second, six times over; call it again.
    """
    if connection.in_atomic_block:
        raise transaction.TransactionManagementError("an index is built concurrently outside of any transaction")
    valid = _is_valid(index.name, JOURNAL)
    if valid:
        return
    if valid is None:
        only = "ONLY " if _scalar(_HAS_ROWS) else ""
        _briefly(f"CREATE INDEX {index.name} ON {only}{JOURNAL} {index.definition}")
    while not _is_valid(index.name, JOURNAL):
        # Months that are made meanwhile come with an index; a default partition that was drained is a new table.
        leaves = list(_without_index(index))
        if not leaves:
            raise RuntimeError(f"every partition has its part of {index.name}, and yet it is not valid")
        for leaf in leaves:
            _build_on(leaf, index)
            on_built(leaf)


def drop(index: JournalIndex) -> None:
    """Drop the index with those of all partitions."""
    _briefly(f"DROP INDEX IF EXISTS {index.name}")


def _build_on(leaf: str, index: JournalIndex) -> None:
    name = index.of(leaf)
    if not _is_valid(name, leaf):
        # What was cut off leaves an index behind that nobody reads and everybody writes.
        _execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        _execute(f"CREATE INDEX CONCURRENTLY {name} ON {leaf} {index.definition}")
    _briefly(f"ALTER INDEX {index.name} ATTACH PARTITION {name}")


def _without_index(index: JournalIndex) -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(_LEAVES, [index.name, JOURNAL])
        yield from (leaf for leaf, own in cursor.fetchall() if own is None)


def _is_valid(name: str, table: str) -> bool | None:
    """None when there is no such index."""
    valid: bool | None = _scalar(_IS_VALID, [name, table])
    return valid


def _briefly(statement: str) -> None:
    """Run what needs a lock for a moment, and give way when it is not granted at once."""

    def run() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
            cursor.execute(statement)

    try_again(run)


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _scalar(query: str, values: list[Any] | None = None) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        row = cursor.fetchone()
    return None if row is None else row[0]
