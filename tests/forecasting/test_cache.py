"""The cache saves time, and costs nothing but time when it is cold, unreadable or dead."""

import time
from datetime import date
from random import Random
from typing import Any

import pytest
from redis import Redis

from forecasting.cache import BETA, LIFETIME_SECONDS, CacheKey, put, remember
from tests.forecasting.conftest import RedisServer

KEY = CacheKey(
    company_id=7,
    position=120,
    plan_digest="a" * 64,
    as_of=date(2026, 3, 31),
    basis="free",
    seed=42,
    engine_version="1",
    history_digest="b" * 64,
)


class Counting:
    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> dict[str, Any]:
        self.calls += 1
        return {"call": self.calls}


class Fixed(Random):
    """Draws that a test can foresee."""

    def __init__(self, draw: float) -> None:
        super().__init__()
        self.draw = draw

    def random(self) -> float:
        return self.draw

    def uniform(self, a: float, b: float) -> float:
        return a + (b - a) * self.draw


def client(server: RedisServer) -> Redis:
    return Redis.from_url(server.url)


def test_the_second_reader_is_served_from_the_cache(own_redis: RedisServer) -> None:
    compute = Counting()
    assert remember(key=KEY, compute=compute) == {"call": 1}
    assert remember(key=KEY, compute=compute) == {"call": 1}
    assert compute.calls == 1


@pytest.mark.parametrize(
    "change",
    [
        {"company_id": 8},
        {"position": 121},
        {"plan_digest": "c" * 64},
        {"as_of": date(2026, 4, 1)},
        {"basis": "bank"},
        {"seed": 43},
        {"engine_version": "2"},
        {"history_digest": "c" * 64},
    ],
    ids=lambda change: next(iter(change)),
)
def test_everything_a_forecast_depends_on_is_in_the_key(change: dict[str, Any]) -> None:
    from dataclasses import replace

    assert replace(KEY, **change).text() != KEY.text()


@pytest.mark.parametrize("draw", [0.0, 0.5, 1.0])
def test_it_lives_between_180_and_300_seconds(own_redis: RedisServer, draw: float) -> None:
    put(key=KEY, value={}, compute_seconds=0.1, rng=Fixed(draw))
    expected = LIFETIME_SECONDS[0] + draw * (LIFETIME_SECONDS[1] - LIFETIME_SECONDS[0])
    with client(own_redis) as redis:
        assert redis.pttl(KEY.text()) == pytest.approx(expected * 1000, abs=1000)


def test_two_entries_stored_together_do_not_expire_together(own_redis: RedisServer) -> None:
    rng = Random(1)
    with client(own_redis) as redis:
        lifetimes = set()
        for _ in range(5):
            put(key=KEY, value={}, compute_seconds=0.1, rng=rng)
            lifetimes.add(redis.pttl(KEY.text()) // 1000)
    assert len(lifetimes) > 1


def test_a_fresh_entry_is_not_refreshed_early(own_redis: RedisServer) -> None:
    put(key=KEY, value={"call": 0}, compute_seconds=0.3)
    # A draw of 1 - 1e-9 is the wildest: -ln(1e-9) = 21 times the 0.3 s that it took to compute.
    assert remember(key=KEY, compute=Counting(), rng=Fixed(1.0 - 1e-9)) == {"call": 0}


def test_near_its_end_an_unlucky_reader_refreshes_it_and_the_others_do_not(own_redis: RedisServer) -> None:
    stored_at = 1_000_000.0
    put(key=KEY, value={"call": 0}, compute_seconds=10.0, rng=Fixed(0.0), clock=lambda: stored_at)
    near_its_end = stored_at + LIFETIME_SECONDS[0] - 5.0
    # t - delta beta ln(u) >= expiry  <=>  u <= exp(-5 / (10 beta)) = 0.607, and u = 1 - draw.
    assert pytest.approx(1.0) == BETA
    lucky = remember(key=KEY, compute=Counting(), rng=Fixed(0.39), clock=lambda: near_its_end)
    assert lucky == {"call": 0}
    unlucky = remember(key=KEY, compute=Counting(), rng=Fixed(0.40), clock=lambda: near_its_end)
    assert unlucky == {"call": 1}


def test_errors_of_the_computation_are_not_swallowed(own_redis: RedisServer) -> None:
    def broken() -> dict[str, Any]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        remember(key=KEY, compute=broken)


@pytest.mark.parametrize(
    "entry", ["", "no JSON", "[]", '{"value": {}}', '{"value": 1, "delta": 1, "expiry": 9e9}']
)
def test_an_unreadable_entry_is_as_good_as_none(own_redis: RedisServer, entry: str) -> None:
    with client(own_redis) as redis:
        redis.set(KEY.text(), entry)
    assert remember(key=KEY, compute=Counting()) == {"call": 1}


def test_a_dead_redis_costs_a_recomputation_and_no_error_and_no_wait(own_redis: RedisServer) -> None:
    remember(key=KEY, compute=Counting())
    own_redis.stop()
    compute = Counting()
    started = time.perf_counter()
    for _ in range(100):
        remember(key=KEY, compute=compute)
    assert compute.calls == 100
    # Loose on purpose: the point is "not 100 timeouts", which would be ten seconds.
    assert time.perf_counter() - started < 2.0


def test_it_is_used_again_after_redis_returned(own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    from forecasting import cache
    from ledger.breaker import CircuitBreaker

    monkeypatch.setattr(cache, "_breaker", CircuitBreaker(rest_seconds=0.05))
    own_redis.stop()
    remember(key=KEY, compute=Counting())
    own_redis.start()
    time.sleep(0.1)
    compute = Counting()
    remember(key=KEY, compute=compute)
    remember(key=KEY, compute=compute)
    assert compute.calls == 1
