"""One engine at a time per company and cloud account."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from django.db import Error, connection

from cloudpolicy.services.refusals import EngineBusy

_HELD = """
    SELECT EXISTS (
        SELECT FROM pg_locks held
        JOIN unnest(%s::bigint[], %s::bigint[]) AS wanted (high, low)
          ON held.classid = wanted.high::oid AND held.objid = wanted.low::oid
        WHERE held.locktype = 'advisory' AND held.objsubid = 1 AND held.granted
          AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    )
"""


class LockLost(RuntimeError):
    """The session that held the lock has ended; another engine may be at work already."""


@dataclass(frozen=True, slots=True)
class EngineLock:
    """A lock that is held. It dies with its session of the database, so a killed engine holds nothing."""

    session: int

    def check(self) -> None:
        """Raises LockLost: this is another session than the one that took the lock."""
        if _session() != self.session:
            raise LockLost("the session that held the engine's lock has ended")


@contextmanager
def engine_lock(*, company_id: int, accounts: Iterable[str]) -> Iterator[EngineLock]:
    """Hold the locks of all accounts, or none.

    Session-level, because each line of the journal must be committed before its call is made.

    Raises:
        EngineBusy: another engine holds one of them.
    """
    taken: list[int] = []
    lock = EngineLock(_session())
    try:
        for account in sorted(set(accounts)):
            key = _key(company_id, account)
            if not _ask("SELECT pg_try_advisory_lock(%s)", key):
                raise EngineBusy("another engine is at work on this company's cloud")
            taken.append(key)
        yield lock
    except BaseException:
        # A session that is gone can let go of nothing, and need not: what ended the work is what is told.
        with suppress(Error):
            _let_go(lock, taken)
        raise
    else:
        _let_go(lock, taken)


def _let_go(lock: EngineLock, taken: Sequence[int]) -> None:
    if taken and _session() == lock.session:
        for key in taken:
            _ask("SELECT pg_advisory_unlock(%s)", key)


def engine_is_at_work(*, company_id: int, accounts: Iterable[str]) -> bool:
    """Whether anybody holds the lock of one of the accounts; it is not taken to find out."""
    # A key of 64 bits is listed as its two halves.
    halves = [divmod(_key(company_id, account) % 2**64, 2**32) for account in sorted(set(accounts))]
    with connection.cursor() as cursor:
        cursor.execute(_HELD, [[high for high, _ in halves], [low for _, low in halves]])
        return bool(cursor.fetchone()[0])


def _key(company_id: int, account: str) -> int:
    digest = hashlib.sha256(f"scaling engine:{company_id}:{account}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _session() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def _ask(question: str, key: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(question, [key])
        return bool(cursor.fetchone()[0])
