"""Whether the queues can be reached and somebody works on them."""

from collections.abc import Iterable

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Worker

TIMEOUT_SECONDS = 1.0


def queues_without_worker(*, redis_url: str, names: Iterable[str]) -> tuple[str, ...]:
    """Return the queues on which no worker with a living heartbeat listens.

    A worker's entry expires when its heartbeats end: 90 s after the last when idle, at its job's time limit when
    busy.

    Raises:
        redis.RedisError: the queues' Redis does not answer.
    """
    with Redis.from_url(
        redis_url,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
    ) as connection:
        served = {name for worker in Worker.all(connection=connection) for name in worker.queue_names()}
    return tuple(name for name in names if name not in served)
