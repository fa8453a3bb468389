"""Remembers the lines of a file of any size on disk, in the few bytes per line that telling twins apart takes."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from hashlib import sha256
from itertools import batched

from ledger.domain.event import EventDraft
from ledger.domain.identity import utc_text
from ledger.domain.metadata import metadata_json

CACHE_KIB = 32_768
# Some more would do: SQLite takes 32,766 parameters.
KEYS_PER_LOOK = 5_000


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

    def other_contents(self, drafts: Sequence[tuple[EventDraft, str]]) -> list[tuple[str, ...] | None]:
        """Remember external objects, in order; for each return None when it is new, else the fields in which its
        line says something else.

        Args:
            drafts: each with the account that its line is about, its own or the default.
        """
        keys = [
            _digest((account, draft.source, draft.event_type, draft.flow, draft.external_ref))
            for draft, account in drafts
        ]
        known: dict[bytes, tuple[str, str, str]] = {}
        for some in batched(keys, KEYS_PER_LOOK):
            places = ", ".join("?" * len(some))
            found = self._database.execute(
                f"SELECT key, amount, currency, occurred_at FROM object WHERE key IN ({places})",  # noqa: S608
                some,
            )
            known.update((key, (amount, currency, occurred_at)) for key, amount, currency, occurred_at in found)
        new: list[tuple[bytes, str, str, str]] = []
        differences: list[tuple[str, ...] | None] = []
        for key, (draft, _) in zip(keys, drafts, strict=True):
            occurred_at = utc_text(draft.occurred_at) if draft.occurred_at is not None else ""
            content = (f"{draft.amount.normalize():f}", draft.currency, occurred_at)
            before = known.setdefault(key, content)
            if before is content:
                new.append((key, *content))
                differences.append(None)
            else:
                differences.append(_differences(before, content))
        self._database.executemany("INSERT INTO object VALUES (?, ?, ?, ?)", new)
        return differences


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


def _differences(before: tuple[str, str, str], now: tuple[str, str, str]) -> tuple[str, ...]:
    return tuple(
        name
        for name, earlier, later in zip(("amount", "currency", "occurred_at"), before, now, strict=True)
        # A line without a time says nothing about it.
        if earlier != later and not (name == "occurred_at" and not later)
    )


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
