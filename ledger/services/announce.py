"""Telling the rest of the application that a journal moved, so that nothing it does can undo or delay the move."""

import logging
import threading
import time

from django.conf import settings
from django.db import connections, transaction

from ledger.metrics import WAKE_UPS_LOST
from ledger.signals import journal_advanced

logger = logging.getLogger(__name__)

# How long after one hint a web process gathers moves for the next: 300 events a second become 50 hints, and an
# event that comes alone is told of at once.
GATHER_SECONDS = 0.02


def announce_advance(*, company_id: int, position: int) -> None:
    """Send `journal_advanced` after the commit of the running transaction, or at once when there is none.

    A web process hands it to a thread: the receivers talk to Redis, and no request waits for that, least of all
    when Redis is down. A receiver that raises is logged and counted; readers catch up by their cursors.
    """

    def tell() -> None:
        if settings.PROCESS == "web":
            _herald.hand_over(company_id, position)
        else:
            _send(company_id, position)

    transaction.on_commit(tell, robust=True)


def _send(company_id: int, position: int) -> None:
    answers = journal_advanced.send_robust(sender=None, company_id=company_id, position=position)
    for _, failure in answers:
        if isinstance(failure, Exception):
            WAKE_UPS_LOST.inc()
            logger.warning("wake-up lost", extra={"company_id": company_id}, exc_info=failure)


class _Herald:
    """A thread that tells each company's last position; it begins with the first move, ends with the process."""

    def __init__(self) -> None:
        self._moved: dict[int, int] = {}
        self._news = threading.Condition()
        self._thread: threading.Thread | None = None

    def hand_over(self, company_id: int, position: int) -> None:
        with self._news:
            self._moved[company_id] = max(position, self._moved.get(company_id, 0))
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._tell_on, name="journal-herald", daemon=True)
                self._thread.start()
            self._news.notify()

    def _tell_on(self) -> None:
        gathered_until = 0.0
        while True:
            with self._news:
                while not self._moved:
                    self._news.wait()
            time.sleep(max(0.0, gathered_until - time.monotonic()))
            gathered_until = time.monotonic() + GATHER_SECONDS
            with self._news:
                moved, self._moved = self._moved, {}
            for company_id, position in moved.items():
                _send(company_id, position)
            # Receivers should not need the database; one that does must not keep a connection of the pool.
            connections.close_all()


_herald = _Herald()
