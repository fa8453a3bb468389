"""Waking the forecast worker. It may fail silently: the sweeper finds every company that was not woken.

300 events a second must not become 300 jobs a second, so a gate in Redis lets one job per company wait at a time:
whoever sets the key enqueues, the others find it set. The job opens the gate again before it reads the journal, so
an event that commits later enqueues the next job, and none falls between.
"""

import logging
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from django.conf import settings
from django_rq import get_queue
from redis.exceptions import RedisError

from forecasting.metrics import WAKES
from ledger.breaker import CircuitBreaker
from ledger.redis_client import impatient_client

logger = logging.getLogger(__name__)

QUEUE = "forecast"
JOB = "forecasting.jobs.recompute"
EXPLANATION_JOB = "forecasting.jobs.explain"
# Tells the two kinds of jobs apart without reading them.
EXPLANATION_ID = "explain-"
# A job lost with its worker must not shut the gate for ever. Longer than a job usually waits in the queue.
GATE_SECONDS = 20
# Explanations wait for every forecast before them, and after a failure for a better moment.
EXPLANATION_GATE_SECONDS = 120
EXPLANATION_REST_SECONDS = 300
_breaker = CircuitBreaker(rest_seconds=2.0)


def wake(*, company_id: int) -> bool:
    """Enqueue a recomputation unless one is waiting already. Never raises for Redis, never waits above ~0.2 s.

    Returns:
        Whether a job is now waiting, as far as we know. False when Redis did not answer.
    """
    return _wake(lambda: _enqueue(company_id), gate=_gate(company_id), gate_seconds=GATE_SECONDS)


def wake_explanation(*, company_id: int) -> bool:
    """Enqueue an explanation of the company's forecasts unless one is waiting already. As `wake`."""
    return _wake(
        lambda: _enqueue_explanation(company_id),
        gate=_explanation_gate(company_id),
        gate_seconds=EXPLANATION_GATE_SECONDS,
    )


def _wake(enqueue: Callable[[], None], *, gate: str, gate_seconds: int) -> bool:
    if not _breaker.allows():
        WAKES.labels("skipped").inc()
        return False
    try:
        first = _client().set(gate, "1", nx=True, ex=gate_seconds)
        if first:
            enqueue()
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
    _open(_gate(company_id))


def open_explanation_gate(*, company_id: int) -> None:
    """Let the next forecast enqueue its explanation. Called by the job before it looks what is unexplained."""
    _open(_explanation_gate(company_id))


def rest_explanation(*, company_id: int) -> None:
    """Keep the sweeper from trying again at once what has just failed."""
    try:
        _client().set(_explanation_gate(company_id), "1", ex=EXPLANATION_REST_SECONDS)
    except (RedisError, OSError) as error:
        logger.warning("explanation_not_rested: %s", error)


def _open(gate: str) -> None:
    try:
        _client().delete(gate)
    except (RedisError, OSError) as error:
        # The gate opens by itself after its time; until then the sweeper wakes.
        logger.warning("forecast_gate_left_shut: %s", error)


def wake_again(*, company_id: int) -> None:
    """Put a company back at the end of the queue; the gate stays shut, since its job is still waiting."""
    _enqueue(company_id)


def forecast_waits() -> bool:
    """Whether a forecast waits in the queue, explanations apart, as far as we know."""
    try:
        # All of them: a forecast that was woken last waits behind every explanation. 200 ids take 0.3 ms.
        waiting = _queue().get_job_ids()
    except (RedisError, OSError):
        return False
    return any(not job_id.startswith(EXPLANATION_ID) for job_id in waiting)


def explain_again(*, company_id: int) -> None:
    """Put an explanation back at the end of the queue, unless a newer forecast has enqueued the next meanwhile."""
    if _client().set(_explanation_gate(company_id), "1", nx=True, ex=EXPLANATION_GATE_SECONDS):
        _enqueue_explanation(company_id)


def _explanation_gate(company_id: int) -> str:
    return f"forecast:explain:{company_id}"


def _gate(company_id: int) -> str:
    return f"forecast:wake:{company_id}"


def _enqueue(company_id: int) -> None:
    # result_ttl=0: the job is gone once done; what it made lies in the database.
    _queue().enqueue(JOB, company_id=company_id, result_ttl=0, failure_ttl=86_400)


def _enqueue_explanation(company_id: int) -> None:
    _queue().enqueue(
        EXPLANATION_JOB,
        company_id=company_id,
        job_id=f"{EXPLANATION_ID}{company_id}-{uuid4().hex}",
        result_ttl=0,
        failure_ttl=86_400,
    )


def _queue() -> Any:
    # commit_mode="auto": callers are past their commit; django-rq would otherwise hook onto a commit of its own
    # and raise from there when Redis is down.
    return get_queue(QUEUE, connection=_client(), commit_mode="auto")


def _client() -> Any:
    return impatient_client(settings.REDIS_QUEUE_URL)
