"""Waking the forecast worker. It may fail silently: the sweeper finds every company that was not woken.

300 events a second must not become 300 jobs a second, so a gate (`ledger.gate`) lets one job per company wait.
"""

import logging
from typing import Any

from django.conf import settings
from django_rq import get_queue
from redis.exceptions import RedisError

from forecasting.metrics import WAKES
from ledger import gate
from ledger.breaker import CircuitBreaker
from ledger.redis_client import impatient_client

logger = logging.getLogger(__name__)

QUEUE = "forecast"
JOB = "forecasting.jobs.recompute"
_breaker = CircuitBreaker(rest_seconds=2.0)


def wake(*, company_id: int) -> bool:
    """Enqueue a recomputation unless one is waiting already. Never raises for Redis, never waits above ~0.2 s.

    Returns:
        Whether a job is now waiting, as far as we know. False when Redis did not answer.
    """
    if not _breaker.allows():
        WAKES.labels("skipped").inc()
        return False
    try:
        first = gate.shut_gate(_client(), work=QUEUE, company_id=company_id)
        if first:
            _enqueue(company_id)
    except (RedisError, OSError) as error:
        _breaker.failed()
        WAKES.labels("failed").inc()
        logger.warning("forecast_wake_failed: %s", error)
        return False
    _breaker.succeeded()
    WAKES.labels("enqueued" if first else "coalesced").inc()
    return True


def open_gate(*, company_id: int) -> None:
    """Let the next event enqueue again. Called by the job before it reads the journal."""
    try:
        gate.open_gate(_client(), work=QUEUE, company_id=company_id)
    except (RedisError, OSError) as error:
        # The gate opens by itself after a while; until then the sweeper wakes.
        logger.warning("forecast_gate_left_shut: %s", error)


def wake_again(*, company_id: int) -> None:
    """Put a company back at the end of the queue; the gate stays shut, since its job is still waiting."""
    _enqueue(company_id)


def others_wait() -> bool:
    """Whether any job waits in the queue, as far as we know."""
    try:
        return bool(_queue().count)
    except (RedisError, OSError):
        return False


def _enqueue(company_id: int) -> None:
    # result_ttl=0: the job is gone once done; what it made lies in the database.
    _queue().enqueue(JOB, company_id=company_id, result_ttl=0, failure_ttl=86_400)


def _queue() -> Any:
    # commit_mode="auto": callers are past their commit; django-rq would otherwise hook onto a commit of its own
    # and raise from there when Redis is down.
    return get_queue(QUEUE, connection=_client(), commit_mode="auto")


def _client() -> Any:
    return impatient_client(settings.REDIS_QUEUE_URL)
