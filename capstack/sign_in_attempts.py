"""Slows down whoever guesses passwords: a few attempts per account and address, then a wait.

The address is the one of the connection. X-Forwarded-For is the client's own claim, so believing it would hand out
a fresh counter per request; behind a proxy every client shares the proxy's address, which makes the counter
stricter.
"""

import hashlib
import time
from threading import Lock

from django.conf import settings
from redis import RedisError

from ledger.redis_client import impatient_client

WINDOW_SECONDS = 900
ATTEMPTS_PER_ACCOUNT_AND_ADDRESS = 5
ATTEMPTS_PER_ADDRESS = 50
LOCAL_KEYS_LIMIT = 10_000

_local: dict[str, tuple[int, float]] = {}
_local_lock = Lock()


def wait_seconds(*, account: str, address: str) -> int:
    """Count one attempt. Returns 0 when it may be tried, else how long until the next one may.

    The attempt is counted before the password is looked at: a hundred at the same moment do not slip through
    between looking and counting.
    """
    waits = [
        _wait_of(key, limit=limit)
        for key, limit in (
            (_key("account", account.strip().lower(), address), ATTEMPTS_PER_ACCOUNT_AND_ADDRESS),
            (_key("address", address), ATTEMPTS_PER_ADDRESS),
        )
    ]
    return max(waits)


def forgive(*, account: str, address: str) -> None:
    """The right password was given: the attempts before it are forgotten."""
    key = _key("account", account.strip().lower(), address)
    with _local_lock:
        _local.pop(key, None)
    try:
        impatient_client(settings.REDIS_URL).delete(key)
    except RedisError:
        return


def _key(*parts: str) -> str:
    """The account is hashed: what people type into the wrong field does not end up in Redis."""
    return "capstack:sign-in:" + hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()


def _wait_of(key: str, *, limit: int) -> int:
    try:
        count, seconds_left = _count_in_redis(key)
    except RedisError:
        # Redis down must neither lock everybody out nor open the door: each process counts for itself meanwhile.
        count, seconds_left = _count_here(key)
    return seconds_left if count > limit else 0


def _count_in_redis(key: str) -> tuple[int, int]:
    with impatient_client(settings.REDIS_URL).pipeline(transaction=True) as pipeline:
        pipeline.set(key, 0, ex=WINDOW_SECONDS, nx=True)
        pipeline.incr(key)
        pipeline.ttl(key)
        _, count, seconds_left = pipeline.execute()
    return int(count), max(1, int(seconds_left))


def _count_here(key: str) -> tuple[int, int]:
    now = time.monotonic()
    with _local_lock:
        if len(_local) >= LOCAL_KEYS_LIMIT:
            for stale in [name for name, (_, ends) in _local.items() if ends <= now] or list(_local):
                del _local[stale]
        count, ends = _local.get(key, (0, 0.0))
        if ends <= now:
            count, ends = 0, now + WINDOW_SECONDS
        _local[key] = (count + 1, ends)
    return count + 1, max(1, round(ends - now))
