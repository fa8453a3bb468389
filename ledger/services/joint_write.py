"""Writing together what several requests bring at once.

A company's events commit one after the other, because each holds the head row until its commit, and a commit waits
for the disk. So the requests of a process that meet at that row share a commit: the first one writes, those that
come meanwhile are written together by the next. Nobody waits for company; a single request is written at once.
"""

import itertools
import logging
import threading
from dataclasses import dataclass, field
from datetime import datetime

from django.db import DatabaseError, connection

from ledger.selectors.books import Books
from ledger.services.journal_rows import JournalRow
from ledger.services.journal_table import write_few, write_one
from ledger.services.transient import try_again

logger = logging.getLogger(__name__)

MAX_TOGETHER = 50
# Far above any lock timeout: only a leader that died leaves the others waiting, and then each writes for itself.
PATIENCE_SECONDS = 60.0

_ordinals = itertools.count()


def next_ordinal() -> int:
    """Return a number that no other row of this process has while it waits; rows keep the order of arrival."""
    return next(_ordinals) & 0x7FFF_FFFF


@dataclass(slots=True, eq=False)
class _Ticket:
    """Attributes:
    leads: its owner is to write for all that wait.
    alone: writing together failed; its owner is to write it by itself.
    """

    row: JournalRow
    settled: threading.Event = field(default_factory=threading.Event)
    position: int | None = None
    leads: bool = False
    alone: bool = False


@dataclass(frozen=True, slots=True)
class _Desk:
    """Rows of one company that rely on the same books and go under the same name; one owner at a time writes."""

    database: str
    company_id: int
    books_version: int
    actor: str


_guard = threading.Lock()
_waiting: dict[_Desk, list[_Ticket]] = {}


def write_jointly(row: JournalRow, *, company_id: int, books: Books, actor: str, now: datetime) -> int | None:
    """Write a row and return its position; None when it is not new or the books have changed.

    The row is committed when this returns. Inside a transaction of the caller it is written alone.

    Raises:
        OperationalError: the database refused six times.
    """

    def by_itself() -> int | None:
        return try_again(lambda: write_one(row, company_id=company_id, books=books, actor=actor, now=now))

    if connection.in_atomic_block:
        return by_itself()
    desk = _Desk(str(connection.settings_dict["NAME"]), company_id, books.version, actor)
    ticket = _Ticket(row)
    with _guard:
        queue = _waiting.get(desk)
        if queue is None:
            _waiting[desk] = []
            ticket.leads = True
        else:
            queue.append(ticket)
    if not ticket.leads and not ticket.settled.wait(PATIENCE_SECONDS):
        ticket.alone = True
    if ticket.alone:
        return by_itself()
    if not ticket.leads:
        return ticket.position
    batch = [ticket]
    try:
        batch += _join(desk, ticket)
        if len(batch) == 1:
            return by_itself()
        _write(desk, batch, books, now)
    finally:
        _hand_over(desk, batch)
    return by_itself() if ticket.alone else ticket.position


def _join(desk: _Desk, leader: _Ticket) -> list[_Ticket]:
    """Take those that wait, but no second row of one object: a statement writes an object once."""
    objects = {leader.row.object_key}
    joined: list[_Ticket] = []
    with _guard:
        queue = _waiting[desk]
        left: list[_Ticket] = []
        for ticket in queue:
            if ticket is leader:
                continue
            if len(joined) < MAX_TOGETHER and ticket.row.object_key not in objects:
                objects.add(ticket.row.object_key)
                joined.append(ticket)
            else:
                left.append(ticket)
        _waiting[desk] = left
    return joined


def _write(desk: _Desk, batch: list[_Ticket], books: Books, now: datetime) -> None:
    rows = [ticket.row for ticket in batch]
    try:
        positions = write_few(rows, company_id=desk.company_id, books=books, actor=desk.actor, now=now)
    except DatabaseError:
        # One of them, or the moment, is at fault: each finds out by itself.
        logger.info("rows written apart", extra={"rows": len(rows)}, exc_info=True)
        for ticket in batch:
            ticket.alone = True
        return
    for ticket in batch:
        ticket.position = positions.get(ticket.row.ordinal)


def _hand_over(desk: _Desk, batch: list[_Ticket]) -> None:
    """Let the first of those that came meanwhile write next, and release those that were written."""
    with _guard:
        queue = _waiting[desk]
        if queue:
            queue[0].leads = True
            queue[0].settled.set()
        else:
            del _waiting[desk]
    for ticket in batch[1:]:
        ticket.settled.set()
