"""Work of the `imports` queue: check and import the files that people hand in."""

import logging
from datetime import datetime

from django.conf import settings
from django.utils import timezone
from django_rq import get_queue
from redis import Redis
from redis.exceptions import RedisError
from rq.exceptions import DuplicateJobError

from ledger.services.import_file import abandoned_imports, run_import

logger = logging.getLogger(__name__)

QUEUE = "imports"
# A request waits for the queue no longer than this; the sweeper finds the file anyway.
REDIS_TIMEOUT_SECONDS = 1.0
# A failed job keeps its id for so long, and with it keeps the sweeper from trying at once.
FAILED_JOB_SECONDS = 60


def work_on_import(*, file_id: int) -> str:
    """Check or import a file, whichever is its turn. Returns what happened, for the log."""
    return run_import(file_id=file_id, clock=timezone.now)


def wake_import(*, file_id: int, state: str) -> bool:
    """Enqueue work on a file in a state; false when Redis does not answer, and then the sweeper does it later."""
    try:
        connection = Redis.from_url(
            settings.REDIS_QUEUE_URL,
            socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
            socket_timeout=REDIS_TIMEOUT_SECONDS,
        )
        # commit_mode="auto": callers are past their commit.
        queue = get_queue(QUEUE, connection=connection, commit_mode="auto")
        queue.enqueue(
            "ledger.jobs.work_on_import",
            file_id=file_id,
            job_id=f"import-{file_id}-{state}",
            unique=True,
            result_ttl=0,
            failure_ttl=FAILED_JOB_SECONDS,
        )
    except DuplicateJobError:
        return True
    except (RedisError, OSError) as error:
        logger.warning("import_wake_failed: file %s: %s", file_id, error)
        return False
    return True


def sweep_imports(*, now: datetime) -> int:
    """Wake every file that waits and that nobody is at work on; called by the scheduler.

    Returns:
        How many there were.
    """
    abandoned = abandoned_imports(now=now)
    for file_id, state in abandoned:
        wake_import(file_id=file_id, state=state)
    return len(abandoned)
