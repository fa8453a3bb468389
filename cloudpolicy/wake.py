"""Waking the scaling worker. It may fail silently: the sweep finds every company and run that was not woken."""

import logging
from typing import Any

from django.conf import settings
from django_rq import get_queue
from redis.exceptions import RedisError

from ledger.redis_client import impatient_client

logger = logging.getLogger(__name__)

QUEUE = "scaling"
REPLAN = "cloudpolicy.jobs.replan"
WORK_ON_RUN = "cloudpolicy.jobs.work_on_run"
SCORE = "cloudpolicy.jobs.score"
# One job per company or run waits at a time. A job lost with its worker must not shut the gate for ever.
REPLAN_GATE_SECONDS, RUN_GATE_SECONDS, SCORE_GATE_SECONDS = 60, 30, 600


def wake(*, company_id: int) -> bool:
    """Enqueue a look at a company's groups unless one is waiting already. Never raises for Redis.

    Returns:
        Whether a job is now waiting, as far as we know.
    """
    return _enqueue_once(REPLAN, _company_gate(company_id), REPLAN_GATE_SECONDS, company_id=company_id)


def wake_run(*, run_id: int) -> bool:
    """Enqueue work on a run unless a job waits already. Never raises for Redis.

    Returns:
        Whether a job is now waiting, as far as we know.
    """
    return _enqueue_once(WORK_ON_RUN, _run_gate(run_id), RUN_GATE_SECONDS, run_id=run_id)


def wake_scoring(*, company_id: int) -> bool:
    """Enqueue a look at what a company's runs have saved. Never raises for Redis.

    Returns:
        Whether a job is now waiting, as far as we know.
    """
    gate = f"scaling:score:{company_id}"
    return _enqueue_once(SCORE, gate, SCORE_GATE_SECONDS, company_id=company_id)


def open_gate(*, company_id: int) -> None:
    """Let the next forecast enqueue again. Called by the job before it reads the forecast."""
    _open(_company_gate(company_id))


def open_run_gate(*, run_id: int) -> None:
    """Let the run be enqueued again. Called by the job when it begins."""
    _open(_run_gate(run_id))


def _enqueue_once(job: str, gate: str, gate_seconds: int, **arguments: int) -> bool:
    try:
        client = impatient_client(settings.REDIS_QUEUE_URL)
        if client.set(gate, "1", nx=True, ex=gate_seconds):
            queue: Any = get_queue(QUEUE, connection=client, commit_mode="auto")
            queue.enqueue(job, **arguments, result_ttl=0, failure_ttl=86_400)
    except (RedisError, OSError) as error:
        logger.warning("scaling_wake_failed: %s: %s", gate, error)
        return False
    return True


def _open(gate: str) -> None:
    try:
        impatient_client(settings.REDIS_QUEUE_URL).delete(gate)
    except (RedisError, OSError) as error:
        logger.warning("scaling_gate_left_shut: %s: %s", gate, error)


def _company_gate(company_id: int) -> str:
    return f"scaling:wake:{company_id}"


def _run_gate(run_id: int) -> str:
    return f"scaling:run:{run_id}"
