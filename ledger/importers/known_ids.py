"""Ids of a file's records, kept on disk: a bank that uses one id for two bookings must not lose one of them."""

import sqlite3
from hashlib import sha256

CACHE_KIB = 16_384


class KnownIds:
    """The ids of one file so far, with what was said under each."""

    def __init__(self) -> None:
        # A temporary file that SQLite deletes by itself.
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        self._database.execute("CREATE TABLE id (key BLOB PRIMARY KEY, content BLOB NOT NULL) WITHOUT ROWID")
        self._database.execute("BEGIN")

    def is_reused(self, *key: str, content: tuple[object, ...]) -> bool:
        """Remember an id; true when it stood for something else before, so that it is no id."""
        digest = _digest(key)
        said = _digest(tuple(map(str, content)))
        row = self._database.execute(
            "INSERT INTO id VALUES (?, ?) ON CONFLICT DO UPDATE SET key = key RETURNING content", (digest, said)
        ).fetchone()
        return bool(row[0] != said)

    def close(self) -> None:
        self._database.close()


def _digest(texts: tuple[str, ...]) -> bytes:
    return sha256(
        b"".join(b"%d:%b" % (len(text), text.encode("utf-8", "surrogatepass")) for text in texts)
    ).digest()[:16]
