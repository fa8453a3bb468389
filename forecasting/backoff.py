"""Waiting before another attempt, so that workers which failed together do not come back together."""

from collections.abc import Iterator
from random import Random


def backoff_seconds(*, attempts: int, base_seconds: float, cap_seconds: float, rng: Random) -> Iterator[float]:
    """Yield the waits between `attempts` attempts: uniform in [0, min(cap, base * 2^n)], one fewer than attempts.

    "Full jitter" of Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015: of the variants
    compared there, the one with the least total work under contention.
    """
    for attempt in range(attempts - 1):
        yield rng.uniform(0.0, min(cap_seconds, base_seconds * 2**attempt))
