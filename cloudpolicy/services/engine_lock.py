"""One engine at a time per company and cloud account."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from django.db import Error, connection

from cloudpolicy.services.refusals import EngineBusy


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
