"""Connections to Redis that would rather fail at once than make a request wait."""

from functools import cache

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

TIMEOUT_SECONDS = 0.1


@cache
def impatient_client(url: str) -> Redis:
    """A client that gives up after 100 ms and does not retry (redis-py retries three times, with waits)."""
    return Redis.from_url(
        url,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
