"""Trying again what failed only because somebody else was at work."""

import logging
import random
import time
from collections.abc import Callable

from django.db import OperationalError, connection

from ledger.metrics import WRITE_RETRIES

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 6
FIRST_PAUSE_SECONDS = 0.01
LONGEST_PAUSE_SECONDS = 1.0
_CAUSES = {"40001": "serialization", "40P01": "deadlock", "55P03": "lock timeout"}


def try_again[T](write: Callable[[], T]) -> T:
    """Return what `write` returns, calling it again after a serialization failure, deadlock or lock timeout.

    The pauses double and are drawn at random, so that those who met once do not meet again. Inside a transaction
    of the caller nothing is tried again: the transaction is lost, and only its owner can repeat the whole.

    Args:
        write: one transaction (or one statement outside of any); must be safe to call again after it failed.

    Raises:
        OperationalError: still failing after six attempts, or failing for another reason.
    """
    attempt = 1
    while True:
        try:
            return write()
        except OperationalError as error:
            cause = _CAUSES.get(getattr(error.__cause__, "sqlstate", None) or "")
            if cause is None or connection.in_atomic_block or attempt == MAX_ATTEMPTS:
                raise
            WRITE_RETRIES.labels(cause=cause).inc()
            logger.info("write tried again", extra={"cause": cause, "attempt": attempt})
        longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**attempt)
        time.sleep(random.uniform(longest / 2, longest))  # noqa: S311 - jitter, not a secret
        attempt += 1
