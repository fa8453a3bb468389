"""Waits grow exponentially, are spread, and stay below the cap."""

from random import Random

from forecasting.backoff import backoff_seconds


class Highest(Random):
    def uniform(self, a: float, b: float) -> float:
        return b


def test_the_ceiling_doubles_up_to_the_cap() -> None:
    waits = backoff_seconds(attempts=6, base_seconds=0.1, cap_seconds=1.0, rng=Highest())
    assert list(waits) == [0.1, 0.2, 0.4, 0.8, 1.0]


def test_two_workers_do_not_wait_alike() -> None:
    one, other = (
        list(backoff_seconds(attempts=5, base_seconds=0.1, cap_seconds=2.0, rng=Random(seed))) for seed in (1, 2)
    )
    assert one != other


def test_one_attempt_waits_never() -> None:
    assert list(backoff_seconds(attempts=1, base_seconds=0.1, cap_seconds=1.0, rng=Random(1))) == []
