"""A circuit breaker: after a failure, leave a dead server alone for a while not wait for it each time."""

import time
from collections.abc import Callable
from threading import Lock


class CircuitBreaker:
    """Closed while calls succeed; open for `rest_seconds` after a failure; then one caller at a time tries again.

    With a server that hangs, a process loses one timeout per rest, not one per call. Safe between threads.
    """

    def __init__(self, *, rest_seconds: float, monotonic_seconds: Callable[[], float] = time.monotonic) -> None:
        self._rest_seconds = rest_seconds
        self._clock = monotonic_seconds
        self._lock = Lock()
        self._open_until: float | None = None

    def allows(self) -> bool:
        """Whether to call now. After True, report `succeeded` or `failed`."""
        if self._open_until is None:
            return True
        with self._lock:
            now = self._clock()
            if self._open_until is None or now >= self._open_until:
                # The caller goes ahead alone: everybody else keeps resting until it reports.
                self._open_until = now + self._rest_seconds
                return True
            return False

    def succeeded(self) -> None:
        if self._open_until is not None:
            with self._lock:
                self._open_until = None

    def failed(self) -> None:
        with self._lock:
            self._open_until = self._clock() + self._rest_seconds
