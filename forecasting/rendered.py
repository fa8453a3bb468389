"""Answers to `GET /runway` as they were last sent, kept in this process.

An answer is made of a run, which never changes, and of what `Standing` says; it is sent again only while that is
still so, which is looked up for every request. So nothing is ever invalidated, and nothing sent is stale.

When something has moved, one request makes the answer anew, and those that came meanwhile wait for it (`turn`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

# 35 kB each.
MAX_KEPT = 512
# Two companies that share a lock wait for each other's answer now and then, some milliseconds.
LOCKS = 64
# Who has waited for so long answers by itself: whoever is at it may be stuck, or compute a first forecast.
PATIENCE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything that decides what `GET /runway` answers.

    Attributes:
        run_id: in force; with it go the forecast and what earlier days had said.
        checked_at: when the run was last found to be what the inputs imply.
        head: last position of the journal, of which some may not be in the run yet.
        refusal: why the last attempt could not produce a forecast.
    """

    company_id: int
    basis: str
    run_id: int
    checked_at: datetime
    plan_version: int
    refusal: str
    head: int


_answers: dict[tuple[int, str], tuple[Standing, bytes]] = {}
_locks = tuple(Lock() for _ in range(LOCKS))


def keep(*, standing: Standing, answer: bytes) -> None:
    """Keep an answer in place of the one before on the company's basis."""
    key = (standing.company_id, standing.basis)
    if len(_answers) >= MAX_KEPT and key not in _answers:
        _answers.clear()
    _answers[key] = standing, answer


def kept(*, standing: Standing) -> bytes | None:
    """Return the answer that was given at this very standing, if it is still here."""
    found = _answers.get((standing.company_id, standing.basis))
    return found[1] if found is not None and found[0] == standing else None


@contextmanager
def turn(*, company_id: int, basis: str, patience_seconds: float = PATIENCE_SECONDS) -> Iterator[bool]:
    """Let one thread at a time make an answer. Yields whether there was somebody to wait for.

    Who waited looks anew what stands: it may have moved, and the answer may be there. Waits no longer than
    `patience_seconds`, and goes on without a turn then.
    """
    lock = _locks[hash((company_id, basis)) % LOCKS]
    at_once = lock.acquire(blocking=False)
    held = at_once or lock.acquire(timeout=patience_seconds)
    try:
        yield not at_once
    finally:
        if held:
            lock.release()


def forget_all() -> None:
    """Keep nothing."""
    _answers.clear()
