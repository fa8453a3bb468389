import os
import signal

import pytest
import redis

from capstack.embedded.redis import CACHE_SETTINGS, QUEUE_SETTINGS, redis_program, redis_url
from capstack.supervision.problems import CannotStart
from capstack.supervision.program import RunningProgram


def started(folder, settings) -> RunningProgram:
    server = RunningProgram(
        program=redis_program(name="redis", folder=folder.redis_queue, settings=settings, log=folder.log("redis"))
    )
    server.wait_ready()
    return server


def client(folder) -> redis.Redis:
    return redis.Redis.from_url(redis_url(folder=folder.redis_queue))


def test_jobs_survive_kill_9(folder):
    server = started(folder, QUEUE_SETTINGS)
    with client(folder) as connection:
        connection.rpush("rq:queue:forecast", "a job", "another job")
    os.kill(server.pid, signal.SIGKILL)
    server.stop()
    server = started(folder, QUEUE_SETTINGS)
    with client(folder) as connection:
        assert connection.lrange("rq:queue:forecast", 0, -1) == [b"a job", b"another job"]
    server.stop()


def test_the_queues_are_never_evicted_and_the_cache_is(folder):
    server = started(folder, QUEUE_SETTINGS)
    with client(folder) as connection:
        assert connection.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
        assert connection.config_get("appendonly")["appendonly"] == "yes"
    server.stop()
    server = started(folder, CACHE_SETTINGS)
    with client(folder) as connection:
        assert connection.config_get("maxmemory-policy")["maxmemory-policy"] == "allkeys-lru"
        assert int(connection.config_get("maxmemory")["maxmemory"]) > 0
    server.stop()


def test_it_listens_on_no_port_and_lets_nobody_else_in(folder):
    server = started(folder, CACHE_SETTINGS)
    socket = folder.redis_queue / "redis.sock"
    with client(folder) as connection:
        assert connection.config_get("port")["port"] == "0"
    assert socket.stat().st_mode & 0o777 == 0o700
    server.stop()


def test_without_any_redis_server_it_says_what_to_do(folder, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(CannotStart, match="there is no redis-server: install one"):
        started(folder, CACHE_SETTINGS)
