"""A whole capstack of its own for a measurement: durable PostgreSQL, Redis, web server, one company, one token."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg

from bench.ports import answers, free_port
from capstack.embedded import postgres
from capstack.embedded.redis import QUEUE_SETTINGS, redis_program, redis_url
from capstack.processes import scheduler_program, web_program, worker_program
from capstack.supervision.program import Program, RunningProgram

REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, kw_only=True)
class Stack:
    """Where the application answers and how to get in."""

    port: int
    token: str
    database_url: str
    env: dict[str, str]
    web_pid: int
    worker_pid: int | None = None

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(self.database_url, autocommit=True)


@contextlib.contextmanager
def running_stack(
    *, workers: bool = False, settings: str = "bench.settings", more: Mapping[str, str] | None = None
) -> Iterator[Stack]:
    """Start everything in a temporary folder, stop it at the end.

    Args:
        workers: the forecast worker and the scheduler too.
        more: environment variables beside the usual.
    """
    with tempfile.TemporaryDirectory(prefix="capstack-bench-") as name, contextlib.ExitStack() as running:
        folder = Path(name)
        folder.chmod(0o711)
        logs = folder / "logs"

        def start(program: Program) -> RunningProgram:
            server = RunningProgram(program=program)
            running.callback(server.stop)
            server.wait_ready()
            return server

        cluster = postgres.locate_cluster(pgdata=folder / "postgres", install_dir=folder)
        postgres.prepare_cluster(cluster=cluster)
        start(postgres.postgres_program(cluster=cluster, log=logs / "postgres.log"))
        postgres.ensure_database(cluster=cluster, name="capstack")
        start(
            redis_program(name="redis", folder=folder / "redis", settings=QUEUE_SETTINGS, log=logs / "redis.log")
        )
        env = {
            **os.environ,
            "DATABASE_URL": cluster.url(database="capstack"),
            "REDIS_URL": redis_url(folder=folder / "redis"),
            "SECRET_KEY": "a-key-for-measurements-only-0123456789-0123456789",
            "DATA_DIR": str(folder),
            "DJANGO_SETTINGS_MODULE": settings,
            **(more or {}),
        }
        manage(env, "migrate", "--verbosity", "0")
        manage({**env, "CAPSTACK_PROCESS": "web"}, "collectstatic", "--no-input", "--verbosity", "0")
        manage(env, "create_company", "bench", "--name", "Bench", "--currency", "USD", "--timezone", "UTC")
        token = manage(env, "create_token", "bench", "--name", "bench", "--scopes", "ingest,read").split()[-1]
        port = free_port()
        web = web_program(env=env, log=logs / "web.log", host="127.0.0.1", port=port)
        server = start(with_readiness(web, f"http://127.0.0.1:{port}/livez"))
        worker = None
        if workers:
            worker = start(worker_program(env=env, log=logs / "worker.log", queue="forecast"))
            start(scheduler_program(env=env, log=logs / "scheduler.log"))
        yield Stack(
            port=port,
            token=token,
            database_url=env["DATABASE_URL"],
            env=env,
            web_pid=server.pid,
            worker_pid=worker.pid if worker else None,
        )


def told_apart(work: Callable[..., None], *given: Any, env: Mapping[str, str] | None = None, **named: Any) -> Any:
    """Call a function of a benchmark in an interpreter of its own; return what it prints as JSON.

    Args:
        work: stands at the top of its module.
        given, named: its arguments, each as Python writes it.
        env: the variables of that interpreter; default those of this one.
    """
    arguments = [repr(value) for value in given] + [f"{name}={value!r}" for name, value in named.items()]
    name = work.__name__
    done = subprocess.run(
        [sys.executable, "-c", f"from {work.__module__} import {name}; {name}({', '.join(arguments)})"],
        cwd=REPOSITORY,
        env=env,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return json.loads(done.stdout)


def manage(env: dict[str, str], *arguments: str) -> str:
    """Run a management command, return its stdout."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=REPOSITORY,
        env=env,
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    )
    return done.stdout


def with_readiness(program: Program, url: str) -> Program:
    """Return the program, ready once the URL answers 200."""
    return replace(program, is_ready=lambda: answers(url))
