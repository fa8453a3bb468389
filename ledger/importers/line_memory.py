"""Remembers the lines of a file of any size on disk, in the few bytes per line that telling twins apart takes."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256

from ledger.domain.event import EventDraft
from ledger.domain.identity import utc_text
from ledger.domain.metadata import metadata_json

CACHE_KIB = 32_768


class LineMemory:
    """What has been seen of one file so far. Make it with `line_memory`."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def reference(self, draft: EventDraft) -> str:
        """Return the reference of a line without one: a digest of the line and its ordinal among identical lines.

        The same file gives the same references again, so importing it twice records nothing twice, and two
        identical lines of one file stay two events.
        """
        digest = _line_digest(draft)
        row = self._database.execute(
            "INSERT INTO line VALUES (?, 1) ON CONFLICT DO UPDATE SET ordinal = ordinal + 1 RETURNING ordinal",
            (digest,),
        ).fetchone()
        return f"line:{digest.hex()}:{row[0]}"

    def other_content(self, draft: EventDraft, *, account: str) -> tuple[str, ...] | None:
        """Remember an external object; None for a new one, else the fields in which this line says something else.

        Args:
            account: the one the line is about, its own or the default.
        """
        key = _digest((account, draft.source, draft.event_type, draft.flow, draft.external_ref))
        occurred_at = utc_text(draft.occurred_at) if draft.occurred_at is not None else ""
        content = (f"{draft.amount.normalize():f}", draft.currency, occurred_at)
        known = self._database.execute(
            "SELECT amount, currency, occurred_at FROM object WHERE key = ?", (key,)
        ).fetchone()
        if known is None:
            self._database.execute("INSERT INTO object VALUES (?, ?, ?, ?)", (key, *content))
            return None
        names = ("amount", "currency", "occurred_at")
        return tuple(
            name
            for name, before, now in zip(names, known, content, strict=True)
            # A line without a time says nothing about it.
            if before != now and not (name == "occurred_at" and not now)
        )


@contextmanager
def line_memory() -> Iterator[LineMemory]:
    """Give an empty memory, kept in a temporary file that SQLite deletes by itself."""
    with closing(sqlite3.connect("", isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA synchronous = OFF")
        database.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        database.execute("CREATE TABLE line (digest BLOB PRIMARY KEY, ordinal INTEGER NOT NULL) WITHOUT ROWID")
        database.execute("CREATE TABLE object (key BLOB PRIMARY KEY, amount, currency, occurred_at) WITHOUT ROWID")
        database.execute("BEGIN")
        yield LineMemory(database)


def _line_digest(draft: EventDraft) -> bytes:
    """128 bits over what a line says, not over its bytes: other quoting or an added column is the same line."""
    return _digest(
        (
            draft.source,
            draft.event_type,
            draft.flow,
            draft.account or "",
            f"{draft.amount.normalize():f}",
            draft.currency,
            utc_text(draft.occurred_at) if draft.occurred_at is not None else "",
            draft.category,
            draft.counterparty,
            metadata_json(draft.metadata) if draft.metadata else "",
        )
    )


def _digest(texts: tuple[str, ...]) -> bytes:
    encoded = [text.encode("utf-8") for text in texts]
    # With its length in front no text can be read as the end of another.
    return sha256(b"".join(b"%d:%b" % (len(text), text) for text in encoded)).digest()[:16]
