"""Waking the scaling worker. It may fail silently: the sweep finds every company that was not woken."""

import logging
from typing import Any

from django.conf import settings
from django_rq import get_queue
from redis.exceptions import RedisError

from ledger.redis_client import impatient_client

logger = logging.getLogger(__name__)

QUEUE = "scaling"
JOB = "cloudpolicy.jobs.replan"
# One job per company waits at a time. A job lost with its worker must not shut the gate for ever.
GATE_SECONDS = 60


def wake(*, company_id: int) -> bool:
    """Enqueue a look at a company's groups unless one is waiting already. Never raises for Redis.

    Returns:
        Whether a job is now waiting, as far as we know.
    """
    try:
        client = impatient_client(settings.REDIS_QUEUE_URL)
        if client.set(_gate(company_id), "1", nx=True, ex=GATE_SECONDS):
            queue: Any = get_queue(QUEUE, connection=client, commit_mode="auto")
            queue.enqueue(JOB, company_id=company_id, result_ttl=0, failure_ttl=86_400)
    except (RedisError, OSError) as error:
        logger.warning("scaling_wake_failed: %s", error)
        return False
    return True


def open_gate(*, company_id: int) -> None:
    """Let the next forecast enqueue again. Called by the job before it reads the forecast."""
    try:
        impatient_client(settings.REDIS_QUEUE_URL).delete(_gate(company_id))
    except (RedisError, OSError) as error:
        logger.warning("scaling_gate_left_shut: %s", error)


def _gate(company_id: int) -> str:
    return f"scaling:wake:{company_id}"
