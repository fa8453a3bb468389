"""An rq worker that stays: no fork per job, so shocks and connections are kept between jobs."""

import gc
import logging
import signal
import time
from typing import Any

import psutil
from django.db import close_old_connections
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.exceptions import StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.worker import SimpleWorker

logger = logging.getLogger(__name__)

MEMORY_LIMIT_BYTES = 400_000_000
# rq waits (ttl - 15) s for a job between heartbeats: every 15 s here, so that /readyz sees a dead worker soon.
HEARTBEAT_TTL_SECONDS = 30
LONGEST_REDIS_WAIT_SECONDS = 2.0
OBJECTS_BETWEEN_COLLECTIONS = 50_000
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StayingWorker(SimpleWorker):
    """Runs jobs in its own process and asks for a fresh one when it has grown too large."""

    # After an outage, jobs are taken up again within seconds, not within rq's minute.
    max_connection_wait_time = LONGEST_REDIS_WAIT_SECONDS
    too_large = False

    @property
    def asked_to_stop(self) -> bool:
        return self._shutdown_requested_date is not None

    def bootstrap(self, *args: Any, **kwargs: Any) -> None:
        """Register, and let a signal wait until the loop can take it.

        rq registers, then handles signals: one in between ended the process and left its entry for 90 s, in which
        the queue seemed served.
        """
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        try:
            super().bootstrap(*args, **kwargs)
        except BaseException:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
            raise

    def check_for_suspension(self, burst: bool) -> None:
        """Begin a round of the loop, which signs off when a signal that waited comes now."""
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        super().check_for_suspension(burst)

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Run one job between two looks at the database connection: PostgreSQL may have restarted meanwhile."""
        close_old_connections()
        try:
            super().execute_job(job, queue)
        finally:
            close_old_connections()
        if psutil.Process().memory_info().rss > MEMORY_LIMIT_BYTES:
            logger.info("worker_too_large", extra={"queue": queue.name})
            self.too_large = True
            self._stop_requested = True


def collect_seldom() -> None:
    """Let Python look for cycles of dead objects seldom, and never among those of its start.

    A forecast makes some ten thousand small objects and no cycles: looking for some took 3 % of its time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS, *gc.get_threshold()[1:])


def work_until_stopped(*, queue_name: str, redis_url: str) -> bool:
    """Work on a queue until a signal comes. Redis may be away for as long as it likes.

    Returns:
        Whether the process should be replaced by a fresh one.
    """
    connection = Redis.from_url(redis_url, socket_connect_timeout=2)
    worker: StayingWorker | None = None
    while worker is None or not (worker.asked_to_stop or worker.too_large):
        try:
            # During an outage, the worker before it still takes our signals.
            _wait_for_redis(connection)
            worker = StayingWorker(
                [Queue(queue_name, connection=connection, serializer=JSONSerializer)],
                connection=connection,
                serializer=JSONSerializer,
                worker_ttl=HEARTBEAT_TTL_SECONDS,
                log_job_description=False,
            )
            worker.work(logging_level="WARNING")
        except StopRequested:
            logger.info("worker_stopped_without_redis", extra={"queue": queue_name})
            return False
        except RedisError as error:
            # Redis left in the middle of rq's book-keeping. The job's own effect is in the database.
            logger.warning("worker_lost_redis", extra={"queue": queue_name, "error": str(error)})
    return worker.too_large and not worker.asked_to_stop


def _wait_for_redis(connection: Redis) -> None:
    wait_seconds = 0.1
    while True:
        try:
            connection.ping()
        except RedisError as error:
            logger.warning("worker_waits_for_redis", extra={"error": str(error)})
            time.sleep(wait_seconds)
            wait_seconds = min(wait_seconds * 2, LONGEST_REDIS_WAIT_SECONDS)
        else:
            return
