"""Waking the scaling worker for a run. It may fail silently: the sweep finds every run that should go on."""

import logging
from typing import Any

from django.conf import settings
from django_rq import get_queue
from redis.exceptions import RedisError

from cloudpolicy.wake import QUEUE
from ledger.redis_client import impatient_client

logger = logging.getLogger(__name__)

JOB = "cloudpolicy.jobs.work_on_run"
# One job per run waits at a time. A job lost with its worker must not shut the gate for ever.
GATE_SECONDS = 30


def wake_run(*, run_id: int) -> bool:
    """Enqueue work on a run unless a job waits already. Never raises for Redis.

    Returns:
        Whether a job is now waiting, as far as we know.
    """
    try:
        client = impatient_client(settings.REDIS_QUEUE_URL)
        if client.set(_gate(run_id), "1", nx=True, ex=GATE_SECONDS):
            queue: Any = get_queue(QUEUE, connection=client, commit_mode="auto")
            queue.enqueue(JOB, run_id=run_id, result_ttl=0, failure_ttl=86_400)
    except (RedisError, OSError) as error:
        logger.warning("scaling_run_wake_failed: %s", error)
        return False
    return True


def open_run_gate(*, run_id: int) -> None:
    """Let the run be enqueued again. Called by the job when it begins."""
    try:
        impatient_client(settings.REDIS_QUEUE_URL).delete(_gate(run_id))
    except (RedisError, OSError) as error:
        logger.warning("scaling_run_gate_left_shut: %s", error)


def _gate(run_id: int) -> str:
    return f"scaling:run:{run_id}"
