"""A Redis of the test's own, which it may stop and start again."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from capstack.embedded.redis import QUEUE_SETTINGS, redis_program, redis_url
from capstack.supervision.program import RunningProgram


@dataclass
class RedisServer:
    """A redis-server process; its data survives a stop, as in production."""

    folder: Path
    url: str
    _running: RunningProgram | None = None

    def start(self) -> None:
        program = redis_program(
            name="redis-test", folder=self.folder, settings=QUEUE_SETTINGS, log=self.folder.parent / "redis.log"
        )
        self._running = RunningProgram(program=program)
        self._running.wait_ready()

    def stop(self) -> None:
        if self._running is not None:
            self._running.stop()
            self._running = None


@pytest.fixture
def own_redis(tmp_path: Path, settings: object) -> Iterator[RedisServer]:
    """Give a running Redis that the settings point to, for cache and queues, until the test ends."""
    folder = tmp_path / "redis"
    folder.mkdir()
    server = RedisServer(folder=folder, url=redis_url(folder=folder))
    server.start()
    settings.REDIS_URL = server.url  # type: ignore[attr-defined]
    settings.REDIS_QUEUE_URL = server.url  # type: ignore[attr-defined]
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def closed_circuits() -> Iterator[None]:
    """No test inherits an open circuit from the one before."""
    from forecasting import cache, wake

    cache._breaker.succeeded()
    wake._breaker.succeeded()
    yield
    cache._breaker.succeeded()
    wake._breaker.succeeded()


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    """No test is answered with what was kept of another's company: numbers of companies and runs come again."""
    from forecasting import rendered
    from forecasting.services import kept_flows

    rendered.forget_all()
    kept_flows.forget_all()
