"""What happens by the clock: sweeps every ten seconds, partitions every hour."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import close_old_connections

logger = logging.getLogger(__name__)

LONGEST_SLEEP_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Duty:
    """Work that returns every `every_seconds`, first at once."""

    name: str
    every_seconds: float
    work: Callable[[], object]


def keep_time(*, duties: Sequence[Duty], stop: threading.Event) -> None:
    """Do every duty when it is due until `stop` is set. A duty that fails is logged and comes again on time."""
    due = {duty.name: time.monotonic() for duty in duties}
    while not stop.is_set():
        for duty in duties:
            if time.monotonic() < due[duty.name] or stop.is_set():
                continue
            due[duty.name] = time.monotonic() + duty.every_seconds
            _do(duty)
        stop.wait(min(LONGEST_SLEEP_SECONDS, max(0.0, min(due.values()) - time.monotonic())))


def _do(duty: Duty) -> None:
    close_old_connections()
    try:
        duty.work()
    except Exception:
        # PostgreSQL or Redis may be away: the next round finds what this one missed.
        logger.exception("duty_failed", extra={"duty": duty.name})
    finally:
        close_old_connections()
