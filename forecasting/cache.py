"""Forecasts in Redis. A cold, full or dead cache costs time, never an error.

Entries live for a random 180 to 300 seconds, so that what was computed together does not expire together. An entry
in demand is refreshed before it expires by XFetch (A. Vattani, F. Chierichetti, K. Lowenstein, "Optimal
Probabilistic Cache Stampede Prevention", PVLDB 8(8), 2015): a reader at time t recomputes early when

    t - delta * beta * ln(u) >= expiry,    u uniform in (0, 1], delta = how long the last computation took,

so the chance rises exponentially as expiry nears, entries that are dear to compute are refreshed sooner, and of
many readers about one recomputes. beta = 1 is the paper's optimum for an exponential gap.
"""

import json
import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any

from django.conf import settings
from redis.exceptions import RedisError

from forecasting.metrics import CACHE_REQUESTS
from ledger.breaker import CircuitBreaker
from ledger.redis_client import impatient_client

logger = logging.getLogger(__name__)

LIFETIME_SECONDS = (180.0, 300.0)
BETA = 1.0
_breaker = CircuitBreaker(rest_seconds=2.0)
_random = Random()  # noqa: S311 - spreads lifetimes, guards nothing


@dataclass(frozen=True, slots=True)
class CacheKey:
    """What a forecast depends on. Led by the company, so that a shared Redis can be sharded by it."""

    company_id: int
    position: int
    plan_digest: str
    as_of: date
    basis: str
    seed: int
    engine_version: str
    history_digest: str

    def text(self) -> str:
        return (
            f"forecast:{self.company_id}:{self.position}:{self.plan_digest[:16]}:{self.as_of}:{self.basis}"
            f":{self.seed}:{self.engine_version}:{self.history_digest[:16]}"
        )


def remember(
    *,
    key: CacheKey,
    compute: Callable[[], dict[str, Any]],
    rng: Random = _random,
    clock: Callable[[], float] = time.time,
) -> dict[str, Any]:
    """Return the cached value of `key`, or compute and store it. Values are JSON objects.

    Errors of `compute` pass through; those of Redis do not.
    """
    entry = _read(key.text())
    if entry is not None and not _refresh_early(entry, now_seconds=clock(), rng=rng):
        CACHE_REQUESTS.labels("hit").inc()
        value: dict[str, Any] = entry["value"]
        return value
    CACHE_REQUESTS.labels("miss" if entry is None else "early_refresh").inc()
    started = time.perf_counter()
    value = compute()
    put(key=key, value=value, compute_seconds=time.perf_counter() - started, rng=rng, clock=clock)
    return value


def put(
    *,
    key: CacheKey,
    value: dict[str, Any],
    compute_seconds: float,
    rng: Random = _random,
    clock: Callable[[], float] = time.time,
) -> None:
    """Store a value that took `compute_seconds` to compute."""
    text = json.dumps(value, separators=(",", ":"))
    put_texts(texts={key: text}, compute_seconds=compute_seconds, rng=rng, clock=clock)


def put_texts(
    *,
    texts: Mapping[CacheKey, str],
    compute_seconds: float,
    rng: Random = _random,
    clock: Callable[[], float] = time.time,
) -> None:
    """Store values that are written as JSON already and took `compute_seconds` together, in one round trip."""
    with _client().pipeline(transaction=False) as pipeline:
        for key, text in texts.items():
            lifetime_seconds = rng.uniform(*LIFETIME_SECONDS)
            entry = f'{{"value":{text},"delta":{compute_seconds!r},"expiry":{clock() + lifetime_seconds!r}}}'
            pipeline.set(key.text(), entry, px=int(lifetime_seconds * 1000))
        _call(pipeline.execute)


def _refresh_early(entry: dict[str, Any], *, now_seconds: float, rng: Random) -> bool:
    u = 1.0 - rng.random()  # random() is in [0, 1); the logarithm needs (0, 1]
    return bool(now_seconds - entry["delta"] * BETA * math.log(u) >= entry["expiry"])


def _read(key: str) -> dict[str, Any] | None:
    text = _call(lambda: _client().get(key))
    if text is None:
        return None
    try:
        entry = json.loads(text)
        float(entry["delta"]), float(entry["expiry"]), dict(entry["value"])
    except (ValueError, TypeError, KeyError):
        # Written by another version, or by hand: as good as absent.
        logger.warning("forecast_cache_entry_unreadable", extra={"key": key})
        return None
    else:
        return dict(entry)


def _call(command: Callable[[], Any]) -> Any:
    if not _breaker.allows():
        CACHE_REQUESTS.labels("skipped").inc()
        return None
    try:
        answer = command()
    except (RedisError, OSError) as error:
        _breaker.failed()
        CACHE_REQUESTS.labels("error").inc()
        logger.warning("forecast_cache_unavailable: %s", error)
        return None
    _breaker.succeeded()
    return answer


def _client() -> Any:
    return impatient_client(settings.REDIS_URL)
