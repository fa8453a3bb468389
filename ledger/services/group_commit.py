"""Events that several threads have ready are written together: a statement, its checks and a flush are shared.

Whoever comes first writes, at once and alone. Who comes meanwhile waits; when the first is done, the next of
them writes for all that wait. So nothing waits for company, it takes no thread of its own, and there is nothing
to drain at the end of a process.
"""

import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from django.db import DatabaseError, connection

from ledger.selectors.books import Books
from ledger.services.journal_rows import JournalRow
from ledger.services.journal_table import write_few, write_one

# A statement of this many events takes a millisecond or two.
MAX_TOGETHER = 32


@dataclass(slots=True, eq=False)
class _Waiting:
    """An event that a thread waits to see written.

    Attributes:
        woken: held until somebody has written the event, or has left the writing to this thread.
        position: once another thread has written it.
        alone: the event was written with others, that failed, and now its own thread is to try.
    """

    row: JournalRow
    books: Books
    actor: str
    now: datetime
    woken: threading.Lock = field(default_factory=threading.Lock)
    position: int | None = None
    alone: bool = False


@dataclass(slots=True)
class _Line:
    """Who waits while somebody writes into the journal of one company; there is none while nobody writes."""

    waiting: deque[_Waiting] = field(default_factory=deque)


_lines: dict[int, _Line] = {}
_mutex = threading.Lock()


def write_together(row: JournalRow, *, company_id: int, books: Books, actor: str, now: datetime) -> int | None:
    """Write one row as `write_one` does, with those that other threads have ready for the same company."""
    if connection.in_atomic_block:
        # What a transaction writes is its own until it commits.
        return write_one(row, company_id=company_id, books=books, actor=actor, now=now)
    mine = _Waiting(row, books, actor, now)
    with _mutex:
        line = _lines.get(company_id)
        is_first = line is None
        if line is None:
            line = _lines[company_id] = _Line()
        else:
            mine.woken.acquire()
            line.waiting.append(mine)
    if not is_first:
        mine.woken.acquire()
        if mine.position is not None:
            return mine.position
        if mine.alone:
            return write_one(row, company_id=company_id, books=books, actor=actor, now=now)
    return _write_for_all(mine, line, company_id)


def _write_for_all(mine: _Waiting, line: _Line, company_id: int) -> int | None:
    """Write this thread's event and those that wait; leave what comes meanwhile to the next thread."""
    others = _take_along(mine, line)
    before = None
    try:
        if others:
            # Whatever is wrong with one of them, its own thread is told: each is tried alone then.
            with suppress(DatabaseError):
                before = write_few(
                    [(each.row, each.actor, each.now) for each in (mine, *others)],
                    company_id=company_id,
                    books_version=mine.books.version,
                )
        if before is None:
            return write_one(mine.row, company_id=company_id, books=mine.books, actor=mine.actor, now=mine.now)
        return before + 1
    finally:
        _wake(others, before)
        _leave_to_next(line, company_id)


def _take_along(mine: _Waiting, line: _Line) -> list[_Waiting]:
    """Take those out of the line that can be written with an event: same books, another object."""
    if not line.waiting:
        return []
    objects = {mine.row.object_key}
    taken: list[_Waiting] = []
    left: deque[_Waiting] = deque()
    with _mutex:
        for each in line.waiting:
            key = each.row.object_key
            if len(taken) < MAX_TOGETHER - 1 and each.books.version == mine.books.version and key not in objects:
                objects.add(key)
                taken.append(each)
            else:
                left.append(each)
        line.waiting = left
    return taken


def _wake(written: list[_Waiting], before: int | None) -> None:
    for place, each in enumerate(written, 2):
        if before is None:
            each.alone = True
        else:
            each.position = before + place
        each.woken.release()


def _leave_to_next(line: _Line, company_id: int) -> None:
    with _mutex:
        if line.waiting:
            line.waiting.popleft().woken.release()
        else:
            del _lines[company_id]
