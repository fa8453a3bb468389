"""Waking the forecast worker. It may fail silently: the sweeper finds every company that was not woken.

300 events a second must not become 300 jobs a second, so a gate in Redis lets one job per company wait at a time:
whoever sets the key enqueues, the others find it set. The job opens the gate again before it reads the journal, so
an event that commits later enqueues the next job, and none falls between.
"""

import logging
from typing import Any

from django.conf import settings
from django_rq import get_queue
from redis.exceptions import RedisError

from forecasting.metrics import WAKES
from ledger.breaker import CircuitBreaker
from ledger.redis_client import impatient_client

logger = logging.getLogger(__name__)

QUEUE = "forecast"
JOB = "forecasting.jobs.recompute"
RECORD_JOB = "forecasting.record_jobs.keep_record"
# A job lost with its worker must not shut the gate for ever. Longer than a job usually waits in the queue.
GATE_SECONDS = 20
# Behind a long queue one slice may wait for minutes; a job that is lost is missed for this long.
RECORD_GATE_SECONDS = 900
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
        first = _client().set(_gate(company_id), "1", nx=True, ex=GATE_SECONDS)
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


def wake_record(*, company_id: int) -> bool:
    """Enqueue keeping a company's track record, unless that is waiting already. Raises no error of Redis.

    Returns:
        Whether a job is now waiting, as far as we know.
    """
    if not _breaker.allows():
        return False
    try:
        if _client().set(_record_gate(company_id), "1", nx=True, ex=RECORD_GATE_SECONDS):
            enqueue_record(company_id=company_id)
    except (RedisError, OSError) as error:
        _breaker.failed()
        logger.warning("record_wake_failed: %s", error)
        return False
    _breaker.succeeded()
    return True


def enqueue_record(*, company_id: int) -> None:
    """Put the work on a track record behind everything that waits."""
    _queue().enqueue(RECORD_JOB, company_id=company_id, result_ttl=0, failure_ttl=86_400)


def open_record_gate(*, company_id: int) -> None:
    """Let the next sweep enqueue again."""
    try:
        _client().delete(_record_gate(company_id))
    except (RedisError, OSError) as error:
        logger.warning("record_gate_left_shut: %s", error)


def open_gate(*, company_id: int) -> None:
    """Let the next event enqueue again. Called by the job before it reads the journal."""
    try:
        _client().delete(_gate(company_id))
    except (RedisError, OSError) as error:
        # The gate opens by itself after GATE_SECONDS; until then the sweeper wakes.
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


def _record_gate(company_id: int) -> str:
    return f"forecast:record:{company_id}"


def _gate(company_id: int) -> str:
    return f"forecast:wake:{company_id}"


def _enqueue(company_id: int) -> None:
    # result_ttl=0: the job is gone once done; what it made lies in the database.
    _queue().enqueue(JOB, company_id=company_id, result_ttl=0, failure_ttl=86_400)


def _queue() -> Any:
    # commit_mode="auto": callers are past their commit; django-rq would otherwise hook onto a commit of its own
    # and raise from there when Redis is down.
    return get_queue(QUEUE, connection=_client(), commit_mode="auto")


def _client() -> Any:
    return impatient_client(settings.REDIS_QUEUE_URL)
