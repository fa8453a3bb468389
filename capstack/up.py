"""`manage.py up`: the whole application in one terminal, from nothing to a page that answers."""

import argparse
import contextlib
import json
import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from capstack.bootstrap import data_dir, read_dotenv
from capstack.embedded.data_folder import DataFolder, open_data_folder, secret_key
from capstack.embedded.endpoints import Endpoints, read_endpoints, write_endpoints
from capstack.embedded.lock import FolderLock
from capstack.embedded.services import demo_cloud, missing_services
from capstack.processes import QUEUES, prepare_program, scheduler_program, web_program, worker_program
from capstack.supervision.leftovers import end_leftovers
from capstack.supervision.parent import end_with_parent
from capstack.supervision.problems import CannotStart
from capstack.supervision.supervisor import StopAsked, Supervisor

PREPARE_TIMEOUT_SECONDS = 600.0
READY_TIMEOUT_SECONDS = 120.0
WAIT_FOR_COMMAND_SECONDS = 60.0
ADDRESSES = ("DATABASE_URL", "REDIS_URL", "REDIS_QUEUE_URL", "AWS_ENDPOINT_URL")


def main(argv: Sequence[str]) -> int:
    """Run until Ctrl-C or SIGTERM: then 0. When it cannot run, one line on stderr and 1."""
    options = _parser().parse_args(argv)
    if options.with_parent:
        end_with_parent(death_signal=signal.SIGTERM, parent_pid=os.getppid())
    read_dotenv()
    try:
        _refuse_taken_port(host=options.host, port=options.port)
        folder = open_data_folder(Path(options.data_dir) if options.data_dir else data_dir())
        _run(folder=folder, options=options)
    except CannotStart as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="manage.py up", description=__doc__)
    parser.add_argument("--port", type=_port, default=8000, help="port of the web server (8000)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--data-dir", help="where data, logs and secrets are kept (DATA_DIR, else .data)")
    parser.add_argument("--no-demo", action="store_true", help="no demo company and no pretended AWS")
    # For make, which does not pass every signal on: end when the parent ends.
    parser.add_argument("--with-parent", action="store_true", help=argparse.SUPPRESS)
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError("a port is a whole number from 1 to 65535")
    return int(text)


def _refuse_taken_port(*, host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As the web server will: a port whose last connections only linger is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotStart(
                f"port {port} on {host} cannot be used: {error.strerror}; choose another, such as PORT={port + 1}"
            ) from None


def _run(*, folder: DataFolder, options: argparse.Namespace) -> None:
    started = time.monotonic()
    supervisor = Supervisor(say=_say, record=folder.path / "processes.json")
    supervisor.listen_to_signals()
    lock = FolderLock(folder=folder)
    try:
        _take(lock, folder=folder, stop_asked=lambda: supervisor.stop_asked)
        try:
            _bring_up(supervisor=supervisor, folder=folder, options=options)
            _welcome(folder=folder, url=_url(options), seconds=time.monotonic() - started)
            supervisor.supervise()
            _say("Stopping.")
        finally:
            folder.endpoints.unlink(missing_ok=True)
            supervisor.stop()
    except StopAsked:
        _say("Stopped while starting.")
    finally:
        lock.release()


def _take(lock: FolderLock, *, folder: DataFolder, stop_asked: Callable[[], bool]) -> None:
    """Take the folder's lock; wait for a command that uses it, but not for another `up`."""
    deadline = time.monotonic() + WAIT_FOR_COMMAND_SECONDS
    told = False
    while not lock.acquire(kind="up"):
        holder = lock.holder()
        if holder is not None and holder.kind == "up":
            running = read_endpoints(path=folder.endpoints)
            where = f" at {running.web_url}" if running and running.web_url else ""
            raise CannotStart(f"capstack already runs on {folder.path}{where} (process {holder.pid})")
        if time.monotonic() > deadline:
            raise CannotStart(f"{lock.holder_text()} still uses {folder.path}")
        if not told:
            _say(f"Waiting for {lock.holder_text()}, which uses {folder.path}.")
            told = True
        if stop_asked():
            raise StopAsked
        time.sleep(0.1)


def _bring_up(*, supervisor: Supervisor, folder: DataFolder, options: argparse.Namespace) -> None:
    for name in end_leftovers(path=folder.path / "processes.json"):
        _say(f"Ended {name}, left over from a run that was killed.")
    env = _environment(folder=folder)
    with_demo = not options.no_demo

    services = missing_services(folder=folder, environ=os.environ)
    if services:
        with _step("Starting " + ", ".join(service.title for service in services)):
            supervisor.start([service.program for service in services])
            for service in services:
                service.after_start()
                env |= service.environment
    cloud = demo_cloud(folder=folder, environ=os.environ) if with_demo else None
    if cloud is not None:
        # It takes a while to load; whoever makes the demo's groups in it waits for it, nobody else does.
        supervisor.start([replace(cloud.program, is_ready=None)])
        env |= cloud.environment
    write_endpoints(path=folder.endpoints, endpoints=_endpoints(env))

    with _step("Preparing the database and the static files"):
        supervisor.run_to_end(
            prepare_program(env=env, log=folder.log("prepare"), with_demo=with_demo),
            timeout_seconds=PREPARE_TIMEOUT_SECONDS,
        )

    url = _url(options)
    with _step(f"Starting the web server, {len(QUEUES)} workers and the scheduler"):
        web = web_program(env=env, log=folder.log("web"), host=options.host, port=options.port)
        supervisor.start(
            [
                replace(web, is_ready=lambda: _status(f"{url}/livez") == 200),
                *(worker_program(env=env, log=folder.log(f"worker-{name}"), queue=name) for name in QUEUES),
                scheduler_program(env=env, log=folder.log("scheduler")),
            ]
        )
    with _step("Waiting for the page and the first forecast"):
        _wait_for_page(supervisor=supervisor, url=url)
    write_endpoints(path=folder.endpoints, endpoints=_endpoints(env, web_url=url))


def _environment(*, folder: DataFolder) -> dict[str, str]:
    """Return the environment of every child."""
    env = dict(os.environ)
    env["DATA_DIR"] = str(folder.path)
    env["DJANGO_SETTINGS_MODULE"] = "capstack.settings"
    if not env.get("SECRET_KEY") and not env.get("SECRET_KEY_FILE"):
        env["SECRET_KEY"] = secret_key(folder=folder)
    # Counters of all processes meet in files there. They start anew with the application.
    folder.metrics.mkdir(exist_ok=True)
    for old in folder.metrics.glob("*.db"):
        old.unlink()
    env["PROMETHEUS_MULTIPROC_DIR"] = str(folder.metrics)
    # Two cores are shared by nine processes: no thread pool of a library should believe it is alone.
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        env.setdefault(name, "1")
    env.setdefault("MALLOC_ARENA_MAX", "2")
    return env


def _endpoints(env: Mapping[str, str], *, web_url: str | None = None) -> Endpoints:
    names = [*ADDRESSES, *(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY") if env.get("DEMO_CLOUD") else ())]
    # With the folder of counters, the events that a command imports are counted as well.
    names += ["DEMO_CLOUD", "PROMETHEUS_MULTIPROC_DIR"]
    return Endpoints(
        pid=os.getpid(), environment={name: env[name] for name in names if env.get(name)}, web_url=web_url
    )


def _wait_for_page(*, supervisor: Supervisor, url: str) -> None:
    """Wait until a person who follows the link sees something true.

    Raises:
        CannotStart: not in time; names what is not ready.
    """
    if not supervisor.wait_until(
        lambda: _status(f"{url}/sign-in") == 200 and _status(f"{url}/readyz") == 200,
        timeout_seconds=READY_TIMEOUT_SECONDS,
    ):
        raise CannotStart(
            f"the page did not become ready within {READY_TIMEOUT_SECONDS:.0f} s: {_red_checks(url)}"
        )


def _status(url: str) -> int:
    """Return the HTTP status, 0 when nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 -- our own address
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def _red_checks(url: str) -> str:
    try:
        urllib.request.urlopen(f"{url}/readyz", timeout=5)  # noqa: S310 -- our own address
    except urllib.error.HTTPError as error:
        checks: dict[str, Any] = json.loads(error.read())["checks"]
        return "; ".join(f"{name}: {check['detail']}" for name, check in checks.items() if not check["ok"])
    except OSError as error:
        return str(error)
    return f"/sign-in answers {_status(f'{url}/sign-in')}"


def _url(options: argparse.Namespace) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(options.host, options.host)  # noqa: S104
    return f"http://{host}:{options.port}"


def _welcome(*, folder: DataFolder, url: str, seconds: float) -> None:
    _say(f"\ncapstack runs at {url} (after {seconds:.1f} s)\n")
    with contextlib.suppress(FileNotFoundError):
        for sign_in in json.loads(folder.sign_ins.read_text(encoding="utf-8")):
            _say(f"  {sign_in['role']:<8} {sign_in['email']:<24} {sign_in['password']}")
        _say("")
    _say(f"Data and logs are in {folder.path}. Ctrl-C stops everything.")


class _step(contextlib.AbstractContextManager[None]):  # noqa: N801 -- reads like a statement
    """Says what begins, and how long it took."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._started = time.monotonic()
        _say(f"{title} …")

    def __exit__(self, *error: object) -> None:
        if error[0] is None:
            _say(f"  done ({time.monotonic() - self._started:.1f} s)")


def _say(line: str) -> None:
    # Whoever reads our output may leave before we do.
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
