"""Workers as processes: they stay, they wait for Redis, they ask for a fresh process when they grow too large."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from capstack.embedded.redis import QUEUE_SETTINGS, redis_program, redis_url
from capstack.health.queues import queues_without_worker
from capstack.processes import worker_program
from capstack.supervision.program import RunningProgram
from capstack.supervision.supervisor import RESTART_ME
from capstack.worker import OBJECTS_BETWEEN_COLLECTIONS
from tests.capstack.installation import wait_for


@pytest.fixture
def redis_folder():
    """Give a folder for a Redis of this test's own, which it may stop."""
    path = Path(tempfile.mkdtemp(prefix="capstack-redis-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


def start_redis(folder: Path) -> RunningProgram:
    server = RunningProgram(
        program=redis_program(name="redis", folder=folder, settings=QUEUE_SETTINGS, log=folder / "redis.log")
    )
    server.wait_ready()
    return server


def start_worker(folder: Path) -> RunningProgram:
    env = {**os.environ, "REDIS_QUEUE_URL": redis_url(folder=folder)}
    return RunningProgram(program=worker_program(env=env, log=folder / "worker.log", queue="imports"))


def is_served(folder: Path) -> bool:
    return queues_without_worker(redis_url=redis_url(folder=folder), names=["imports"]) == ()


def pid_of_a_job(folder: Path) -> int:
    """Let the worker run a job and return the process that ran it."""
    with Redis.from_url(redis_url(folder=folder)) as connection:
        queue = Queue("imports", connection=connection, serializer=JSONSerializer)
        job = queue.enqueue("os.getpid", result_ttl=60)
        wait_for(lambda: job.get_status(refresh=True) == "finished", seconds=30, what="the job")
        return int(job.return_value())


def test_it_looks_for_cycles_seldom(redis_folder):
    redis, worker = start_redis(redis_folder), start_worker(redis_folder)
    try:
        with Redis.from_url(redis_url(folder=redis_folder)) as connection:
            queue = Queue("imports", connection=connection, serializer=JSONSerializer)
            asked = [queue.enqueue(f"gc.{name}", result_ttl=60) for name in ("get_threshold", "get_freeze_count")]
            wait_for(lambda: asked[1].get_status(refresh=True) == "finished", seconds=30, what="the jobs")
            threshold, frozen = (job.return_value() for job in asked)
    finally:
        worker.stop()
        redis.stop()
    assert threshold[0] == OBJECTS_BETWEEN_COLLECTIONS
    assert frozen > OBJECTS_BETWEEN_COLLECTIONS


def test_it_runs_jobs_in_its_own_process_and_outlives_an_outage_of_redis(redis_folder):
    # There is no Redis yet: it waits, and does not die of it.
    worker = start_worker(redis_folder)
    server = start_redis(redis_folder)
    wait_for(lambda: is_served(redis_folder), seconds=60, what="the worker's heartbeat")
    assert pid_of_a_job(redis_folder) == worker.pid
    server.stop()
    time.sleep(1)
    server = start_redis(redis_folder)
    assert pid_of_a_job(redis_folder) == worker.pid, "it was not replaced"
    os.kill(server.pid, signal.SIGKILL)
    server.stop()
    server = start_redis(redis_folder)
    assert pid_of_a_job(redis_folder) == worker.pid, "nor after a crash of Redis"
    started = time.monotonic()
    assert worker.stop() == 0
    assert time.monotonic() - started < 8
    server.stop()


def test_a_stop_during_an_outage_takes_one_signal(redis_folder):
    server, worker = start_redis(redis_folder), start_worker(redis_folder)
    wait_for(lambda: is_served(redis_folder), seconds=60, what="the worker's heartbeat")
    server.stop()
    worker.ask_to_stop()
    wait_for(lambda: worker.exit_code() is not None, seconds=60, what="the end of the worker")
    assert worker.exit_code() == 0


# Registers under the eyes of whoever stops it: the signal is there before rq handles signals.
STOPPED_WHILE_IT_REGISTERS = """
import os, signal, sys
from capstack import worker

class Stopped(worker.StayingWorker):
    def register_birth(self):
        super().register_birth()
        os.kill(os.getpid(), signal.SIGTERM)

worker.StayingWorker = Stopped
assert worker.work_until_stopped(queue_name="imports", redis_url=sys.argv[1]) is False
"""


def test_a_stop_while_it_registers_lets_it_sign_off(redis_folder):
    server = start_redis(redis_folder)
    address = redis_url(folder=redis_folder)
    stopped = subprocess.run([sys.executable, "-c", STOPPED_WHILE_IT_REGISTERS, address], timeout=60, check=False)
    assert stopped.returncode == 0, "it died of the signal"
    assert not is_served(redis_folder), "it left without signing off"
    server.stop()


def test_it_asks_for_a_fresh_process_when_it_has_grown_too_large(redis_folder):
    server = start_redis(redis_folder)
    with Redis.from_url(redis_url(folder=redis_folder)) as connection:
        queue = Queue("imports", connection=connection, serializer=JSONSerializer)
        queue.enqueue("tests.capstack.heavy.grow", result_ttl=0)
    worker = start_worker(redis_folder)
    wait_for(lambda: worker.exit_code() is not None, seconds=60, what="the end of the large worker")
    assert worker.exit_code() == RESTART_ME
    server.stop()


def test_its_heartbeat_ends_soon_after_a_kill_and_at_once_after_a_stop(redis_folder):
    server = start_redis(redis_folder)
    worker = start_worker(redis_folder)
    wait_for(lambda: is_served(redis_folder), seconds=60, what="the worker's heartbeat")
    with Redis.from_url(redis_url(folder=redis_folder)) as connection:
        (key,) = [key for key in connection.scan_iter("rq:worker:*") if connection.type(key) == b"hash"]
        assert 0 < connection.ttl(key) <= 90
    assert psutil.Process(worker.pid).nice() == psutil.Process().nice() + 10, "ingestion goes first"
    # However long a machine that does much else lets it take: a supervisor would kill it after five seconds.
    worker.ask_to_stop()
    wait_for(lambda: worker.exit_code() is not None, seconds=60, what="the end of the worker")
    assert not is_served(redis_folder), "it left without signing off"
    server.stop()
