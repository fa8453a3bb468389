"""The application's own processes, each as the program that `up`, the tests and the benchmarks run alike."""

import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from capstack.supervision.program import Program

BASE_DIR = Path(__file__).resolve().parent.parent
QUEUES = ("forecast", "books", "imports", "scaling")
# Two cores are shared with PostgreSQL and the workers: one process with threads answers as fast as two, in half
# the memory, since a request mostly waits for the database.
WEB_WORKERS = 1
WEB_THREADS = 5


def prepare_program(*, env: Mapping[str, str], log: Path, with_demo: bool) -> Program:
    """Return the step between servers and application: tables, partitions, static files, the demo company."""
    return Program(
        name="prepare",
        argv=(sys.executable, "manage.py", "prepare", *(["--demo"] if with_demo else [])),
        env={**env, "CAPSTACK_PROCESS": "command"},
        log=log,
        cwd=BASE_DIR,
        shows_output=True,
    )


def web_program(*, env: Mapping[str, str], log: Path, host: str, port: int, workers: int = WEB_WORKERS) -> Program:
    """Return the web server: granian in front of WSGI."""
    return Program(
        name="web",
        argv=(
            *(sys.executable, "-m", "granian", "capstack.wsgi:application"),
            *("--interface", "wsgi", "--host", host, "--port", str(port)),
            *("--workers", str(workers), "--blocking-threads", str(WEB_THREADS)),
            # A killed worker is replaced by granian; a killed granian by whoever supervises it.
            *("--respawn-failed-workers", "--workers-kill-timeout", "5s"),
            *("--no-ws", "--log-level", "warning"),
        ),
        env={**env, "CAPSTACK_PROCESS": "web"},
        log=log,
        cwd=BASE_DIR,
        stop_signals=((signal.SIGTERM, 7.0),),
    )


def worker_program(*, env: Mapping[str, str], log: Path, queue: str) -> Program:
    """Return the worker of one queue."""
    return Program(
        name=f"worker-{queue}",
        argv=(sys.executable, "manage.py", "run_worker", queue),
        env={**env, "CAPSTACK_PROCESS": "worker"},
        log=log,
        cwd=BASE_DIR,
        niceness=10,
        # The first signal lets the job in hand end, the second one does not.
        stop_signals=((signal.SIGTERM, 4.0), (signal.SIGINT, 1.0)),
    )


def scheduler_program(*, env: Mapping[str, str], log: Path) -> Program:
    """Return the scheduler: sweeps, partitions."""
    return Program(
        name="scheduler",
        argv=(sys.executable, "manage.py", "run_scheduler"),
        env={**env, "CAPSTACK_PROCESS": "scheduler"},
        log=log,
        cwd=BASE_DIR,
        niceness=5,
    )
