"""Telling the rest of the application that a journal moved, so that nothing it does can undo the move."""

import logging

from django.db import transaction

from ledger.metrics import WAKE_UPS_LOST
from ledger.signals import journal_advanced

logger = logging.getLogger(__name__)


def announce_advance(*, company_id: int, position: int) -> None:
    """Send `journal_advanced` once the running transaction commits, or at once when there is none.

    A receiver that raises (Redis may be down) is logged and counted; readers catch up by their cursors.
    """

    def send() -> None:
        answers = journal_advanced.send_robust(sender=None, company_id=company_id, position=position)
        for _, failure in answers:
            if isinstance(failure, Exception):
                WAKE_UPS_LOST.inc()
                logger.warning("wake-up lost", extra={"company_id": company_id}, exc_info=failure)

    transaction.on_commit(send, robust=True)
