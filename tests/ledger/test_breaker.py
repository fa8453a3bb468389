"""A dead server is left alone for a while."""

from ledger.breaker import CircuitBreaker


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_it_lets_everything_through_while_calls_succeed() -> None:
    breaker = CircuitBreaker(rest_seconds=2.0, monotonic_seconds=Clock())
    assert all(breaker.allows() for _ in range(3))


def test_it_rests_after_a_failure() -> None:
    clock = Clock()
    breaker = CircuitBreaker(rest_seconds=2.0, monotonic_seconds=clock)
    breaker.failed()
    clock.seconds = 1.9
    assert not breaker.allows()


def test_after_the_rest_one_caller_tries_and_the_others_wait_for_its_report() -> None:
    clock = Clock()
    breaker = CircuitBreaker(rest_seconds=2.0, monotonic_seconds=clock)
    breaker.failed()
    clock.seconds = 2.0
    assert breaker.allows()
    assert not breaker.allows()
    breaker.succeeded()
    assert breaker.allows()


def test_a_caller_that_never_reports_blocks_for_one_rest_only() -> None:
    clock = Clock()
    breaker = CircuitBreaker(rest_seconds=2.0, monotonic_seconds=clock)
    breaker.failed()
    clock.seconds = 2.0
    assert breaker.allows()
    clock.seconds = 4.0
    assert breaker.allows()
