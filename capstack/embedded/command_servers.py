"""Servers for one management command: those of a running installation, else its own for as long as it runs."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType

from capstack.embedded.data_folder import DataFolder, open_data_folder, secret_key
from capstack.embedded.endpoints import Endpoints, read_endpoints, write_endpoints
from capstack.embedded.lock import FolderLock, GuestLock
from capstack.embedded.services import Service, demo_cloud, missing_services
from capstack.supervision.leftovers import end_leftovers, record_children
from capstack.supervision.problems import CannotStart
from capstack.supervision.program import RunningProgram

WAIT_FOR_OTHERS_SECONDS = 60.0
MANAGE = Path(__file__).resolve().parent.parent.parent / "manage.py"
COMMANDS_THAT_ASK_AWS = frozenset({"plan_scaling", "apply_scaling", "rollback_scaling"})


@contextlib.contextmanager
def servers_of_data_folder(*, path: Path, command: str) -> Iterator[Mapping[str, str]]:
    """Give the variables that lead to the servers of the data folder at `path`.

    Two commands may share the servers that the first of them started: the first waits for the second to end.

    Raises:
        CannotStart: the servers do not come up, or another process holds the folder without serving.
    """
    folder = open_data_folder(path)
    own_key = {} if os.environ.get("SECRET_KEY_FILE") else {"SECRET_KEY": secret_key(folder=folder)}
    basics = {"DATA_DIR": str(folder.path), **own_key}
    lock = FolderLock(folder=folder)
    deadline = time.monotonic() + WAIT_FOR_OTHERS_SECONDS
    while True:
        if lock.acquire(kind="command"):
            try:
                with _own_servers(folder=folder, command=command) as environment:
                    yield {**basics, **environment}
            finally:
                lock.release()
            return
        guests = GuestLock(folder=folder)
        if guests.enter():
            endpoints = read_endpoints(path=folder.endpoints)
            if endpoints is not None and lock.is_held_by(endpoints.pid):
                try:
                    yield {**basics, **endpoints.environment}
                finally:
                    guests.leave()
                return
            guests.leave()
        if time.monotonic() > deadline:
            raise CannotStart(f"{lock.holder_text()} holds {folder.path}, but its servers do not come up")
        time.sleep(0.1)


@contextlib.contextmanager
def _own_servers(*, folder: DataFolder, command: str) -> Iterator[Mapping[str, str]]:
    record = folder.path / "processes.json"
    is_new = not (folder.pgdata / "PG_VERSION").exists()
    end_leftovers(path=record)
    # sign-ins are written for the demo alone; other installations ask the AWS that they are configured for.
    asks_aws = command in COMMANDS_THAT_ASK_AWS and folder.sign_ins.exists()
    cloud = demo_cloud(folder=folder, environ=os.environ) if asks_aws else None
    services = (*missing_services(folder=folder, environ=os.environ), *([cloud] if cloud else []))
    environment = {name: value for service in services for name, value in service.environment.items()}
    running: list[RunningProgram] = []
    with _terminated_like_interrupted():
        try:
            _start(services=services, running=running, record=record)
            if is_new and command != "migrate":
                _migrate(environment=environment)
            write_endpoints(path=folder.endpoints, endpoints=Endpoints(pid=os.getpid(), environment=environment))
            yield environment
        finally:
            guests = GuestLock(folder=folder)
            if folder.endpoints.exists():
                guests.wait_until_alone()
            folder.endpoints.unlink(missing_ok=True)
            for program in reversed(running):
                program.stop()
            record.unlink(missing_ok=True)
            guests.leave()


def _start(*, services: tuple[Service, ...], running: list[RunningProgram], record: Path) -> None:
    for service in services:
        running.append(RunningProgram(program=service.program))
        record_children(path=record, pids={started.program.name: started.pid for started in running})
    for started in running:
        started.wait_ready()
    for service in services:
        service.after_start()


def _migrate(*, environment: Mapping[str, str]) -> None:
    """Give a database that was made a moment ago its tables; an older one is migrated by hand or by `up`."""
    sys.stderr.write("A new database: making its tables.\n")
    done = subprocess.run(  # noqa: S603
        [sys.executable, str(MANAGE), "migrate", "--verbosity", "0"],
        env={**os.environ, **environment, "SECRET_KEY": "for commands that sign nothing"},
        stdout=sys.stderr,
        check=False,
    )
    if done.returncode != 0:
        raise CannotStart("the new database could not be given its tables; see above")


@contextlib.contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """Turn SIGTERM into an orderly exit, so that the servers are stopped on the way out."""

    def leave(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
