"""What every test may ask for: servers, committing databases, a served application, the shared sample data.

PostgreSQL and Redis are real. With DATABASE_URL and REDIS_URL set they are yours (the database user must be
allowed to create databases, the Redis database is flushed); else both are started for the session from wheels.
"""

import contextlib
import fcntl
import itertools
import logging
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
from pytest_django.plugin import DjangoDbBlocker

from capstack.embedded import postgres
from capstack.embedded.redis import QUEUE_SETTINGS, redis_program, redis_url
from capstack.processes import web_program, worker_program
from capstack.supervision.program import RunningProgram

REPOSITORY = Path(__file__).resolve().parent.parent
IN_CI = os.environ.get("CI", "").lower() in {"1", "true"}

# Everything the session leaves on disk. World-executable: as root, PostgreSQL runs as another user.
_SESSION_DIR = Path(tempfile.mkdtemp(prefix="capstack-tests-"))
_SESSION_DIR.chmod(0o711)
_LOGS = _SESSION_DIR / "logs"
(_SESSION_DIR / "static").mkdir()
# A database copied for each test that commits takes a seventh of the time in memory.
_MEMORY = Path("/dev/shm")
_MEMORY_BYTES_WANTED = 4 * 1024**3
_clone_numbers = itertools.count(1)


def _database_folder() -> Path:
    """Return a new folder for PostgreSQL: in memory where there is plenty, else with the rest of the session."""
    if not os.access(_MEMORY, os.W_OK) or shutil.disk_usage(_MEMORY).free < _MEMORY_BYTES_WANTED:
        return _SESSION_DIR
    for folder in _MEMORY.glob("capstack-tests-*"):
        # What a session that was killed left there would be held in memory until the machine restarts.
        if not Path("/proc", folder.name.split("-")[2]).exists():
            shutil.rmtree(folder, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"capstack-tests-{os.getpid()}-", dir=_MEMORY))
    folder.chmod(0o711)
    return folder


def _prepare_environment() -> postgres.Cluster | None:
    """Say where the servers will be before Django reads its settings; they start when a test needs them."""
    cluster = None
    if not os.environ.get("DATABASE_URL"):
        cluster = postgres.locate_cluster(pgdata=_database_folder() / "postgres", install_dir=_SESSION_DIR)
        os.environ["DATABASE_URL"] = cluster.url(database="capstack")
    if not os.environ.get("REDIS_URL"):
        os.environ["REDIS_URL"] = redis_url(folder=_SESSION_DIR / "redis")
    os.environ.update(
        SECRET_KEY="a-key-for-tests-only-0123456789-0123456789-0123456789",
        DATA_DIR=str(_SESSION_DIR),
        DJANGO_SETTINGS_MODULE="capstack.settings",
        # No test may reach an account that happens to be configured on this machine.
        AWS_ACCESS_KEY_ID="testing",
        AWS_SECRET_ACCESS_KEY="testing",
        AWS_EC2_METADATA_DISABLED="true",
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        # No test needs the hundreds of images that a new EC2 of moto would be filled with each time.
        MOTO_EC2_LOAD_DEFAULT_AMIS="false",
    )
    # Without bytecode, each of the many processes that tests start would compile all of the application anew.
    for unwanted in (
        *("AWS_PROFILE", "AWS_SESSION_TOKEN", "SECRET_KEY_FILE", "REDIS_QUEUE_URL"),
        "PYTHONDONTWRITEBYTECODE",
    ):
        os.environ.pop(unwanted, None)
    return cluster


_INVENTED = [name for name in ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE") if not os.environ.get(name)]
_CLUSTER = _prepare_environment()
_EMBEDDED_REDIS = os.environ["REDIS_URL"] == redis_url(folder=_SESSION_DIR / "redis")

import django  # noqa: E402 -- after the environment is set

django.setup()

from django.contrib.auth.hashers import ScryptPasswordHasher  # noqa: E402 -- Django is set up first

# Passwords of tests guard nothing, and scrypt as it should be costs 0.13 s and 16 MB each time. Servers that a
# test starts keep the real one.
ScryptPasswordHasher.work_factor = 2**4


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Let every process of the session name servers of its own: what is set here, it would inherit."""
    for name in _INVENTED:
        del os.environ[name]


# Of the files that are not a browser's, how many follow on each of those that are: with four processes, about two
# have a browser at any time, and none is left for the end.
_FILES_PER_BROWSER = 16
# Of the files that need no database, how many come while the first process migrates and the others would wait.
_FILES_BEFORE_DATABASE = 40


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spread what takes longest over the run, whose processes would else wait for a core, or for the last of them.

    pytest-django has put all that commits last by now: browsers and servers.
    """
    of_file: dict[Path, list[pytest.Item]] = {}
    for item in items:
        of_file.setdefault(item.path, []).append(item)
    folder = REPOSITORY / "tests"
    browsers = sorted(path for path in of_file if (folder / "browser") in path.parents)
    # Those of the application as a whole, which take longest of the rest, come first.
    others = sorted(
        of_file.keys() - set(browsers), key=lambda path: (folder / "capstack" not in path.parents, path)
    )
    turns = itertools.zip_longest(browsers, itertools.batched(others, _FILES_PER_BROWSER))
    order = [path for browser, rest in turns for path in ((browser,) if browser else ()) + (rest or ())]
    without = [path for path in order[1:] if not any(map(_needs_database, of_file[path]))][:_FILES_BEFORE_DATABASE]
    order = [*order[:1], *without, *(path for path in order[1:] if path not in without)]
    items[:] = [item for path in order for item in of_file[path]]


def _needs_database(item: pytest.Item) -> bool:
    wanted = {"django_db_setup", "db", "transactional_db"} & set(getattr(item, "fixturenames", ()))
    return bool(wanted) or item.get_closest_marker("django_db") is not None


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(_SESSION_DIR, ignore_errors=True)
    if _CLUSTER is not None:
        shutil.rmtree(_CLUSTER.pgdata.parent, ignore_errors=True)


def missing(reason: str) -> None:
    """Skip a test for want of something on this machine; in CI its absence is an error."""
    if IN_CI:
        pytest.fail(f"CI must have it: {reason}", pytrace=False)
    pytest.skip(reason)


# --- Servers ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_test_environment: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Start PostgreSQL before pytest-django creates the test database, and stop it after that is gone.

    Processes of one session migrate once: the first does, the others wait and copy what it has made.
    """
    if _CLUSTER is None:
        yield
        return
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = tmp_path_factory.getbasetemp().parent
        made = shared / "migrated"
        with (shared / "migrated-lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if made.exists():
                _copy_data(made, _CLUSTER.pgdata)
            else:
                with _running_postgres(_CLUSTER), django_db_blocker.unblock():
                    _migrate()
                _copy_data(_CLUSTER.pgdata, made)
    with _running_postgres(_CLUSTER):
        yield


@contextlib.contextmanager
def _running_postgres(cluster: postgres.Cluster) -> Iterator[None]:
    server = RunningProgram(
        program=postgres.postgres_program(cluster=cluster, log=_LOGS / "postgres.log", durable=False)
    )
    try:
        server.wait_ready()
        postgres.ensure_database(cluster=cluster, name="capstack")
        _let_tests_switch_triggers_off(cluster)
        yield
    finally:
        server.stop()


def _copy_data(source: Path, target: Path) -> None:
    """Copy the folder of a stopped server with its owner, in one step for whoever looks whether it is there."""
    unfinished = target.with_name(f"{target.name}-unfinished")
    subprocess.run(["cp", "-a", str(source), str(unfinished)], check=True)
    unfinished.rename(target)


def _migrate() -> None:
    """Create the migrated test database and leave it behind."""
    from django.db import connection, connections
    from django.test.utils import setup_databases

    name = connection.settings_dict["NAME"]
    setup_databases(verbosity=0, interactive=False)
    connections.close_all()
    connection.settings_dict["NAME"] = name


def _let_tests_switch_triggers_off(cluster: postgres.Cluster) -> None:
    """Let the application's role try what only an administrator could: the journal must hold even then."""
    with psycopg.connect(
        cluster.url(database="postgres", role=postgres.ADMIN_ROLE), autocommit=True
    ) as connection:
        connection.execute(f"grant set on parameter session_replication_role to {postgres.APPLICATION_ROLE}")


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None,
    django_db_blocker: DjangoDbBlocker,
    django_db_modify_db_settings: None,
) -> Iterator[None]:
    """Create the migrated test database, whoever asks for it.

    pytest-django's own creates it for tests marked django_db only; `committed_db` alone would then clone the
    database that DATABASE_URL names.
    """
    from django.db import connection
    from django.test.utils import setup_databases, teardown_databases

    with django_db_blocker.unblock():
        # The cluster is of this session, so what is there was migrated by it.
        databases = setup_databases(verbosity=0, interactive=False, keepdb=_CLUSTER is not None)
    yield
    with django_db_blocker.unblock():
        _end_other_sessions(connection.settings_dict["NAME"])
        teardown_databases(databases, verbosity=0)


def _end_other_sessions(database: str) -> None:
    """End what threads left open, such as the herald's: a database with sessions is neither copied nor dropped."""
    from django.db import connection, connections

    connections.close_all()
    with connection._nodb_cursor() as cursor:
        cursor.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = %s and usename = current_user and pid <> pg_backend_pid()",
            [database],
        )


@pytest.fixture(scope="session", autouse=True)
def redis_server() -> Iterator[str]:
    """Give the URL of the session's Redis; every test starts with it running."""
    if not _EMBEDDED_REDIS:
        yield os.environ["REDIS_URL"]
        return
    server = RunningProgram(
        program=redis_program(
            name="redis", folder=_SESSION_DIR / "redis", settings=QUEUE_SETTINGS, log=_LOGS / "redis.log"
        )
    )
    try:
        server.wait_ready()
        yield os.environ["REDIS_URL"]
    finally:
        server.stop()


@pytest.fixture
def empty_redis(redis_server: str) -> Iterator["redis.Redis"]:
    """Give a client of an empty Redis: no cached forecast, no queued job."""
    with redis.Redis.from_url(redis_server) as client:
        client.flushdb()
        yield client
        client.flushdb()


# --- Databases that may commit ----------------------------------------------------------------------------


@pytest.fixture
def committed_db(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[str]:
    """Give the URL of a database of this test's own, in which everything may commit; Django is connected to it.

    The journal refuses TRUNCATE, so the flush of a TransactionTestCase cannot clean up after a test. This is a
    clone of the migrated test database instead, and it is dropped afterwards.
    """
    from django.db import connection, connections

    from ledger.services import partitions

    if request.node.get_closest_marker("django_db") or {"db", "transactional_db"} & set(request.fixturenames):
        pytest.fail("committed_db is a database of its own: drop the django_db mark and the db fixture")
    source = connection.settings_dict["NAME"]
    number = next(_clone_numbers)
    has_kept_server = _is_served(request)
    clone = f"{source}_served" if has_kept_server else f"{source}_{os.getpid()}_{number}"
    with django_db_blocker.unblock():
        _end_other_sessions(source)
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'create database "{clone}" template "{source}" strategy file_copy')
        connection.settings_dict["NAME"] = clone
        if has_kept_server:
            partitions.forget(clone)
            with connection.cursor() as cursor:
                cursor.execute(_NUMBERS_OF_ITS_OWN, [number * 10_000])
        try:
            yield urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{clone}").geturl()
        finally:
            connections.close_all()
            connection.settings_dict["NAME"] = source
            _drop(clone)


# What a server remembers of a company or a run is never taken for that of a test before.
_NUMBERS_OF_ITS_OWN = "select setval(format('%%I.%%I', schemaname, sequencename)::regclass, %s) from pg_sequences"


def _is_served(request: pytest.FixtureRequest) -> bool:
    """Whether the test's database is served by the web server that such tests have in common."""
    return "live_app" in request.fixturenames


def _drop(database: str) -> None:
    """Drop a database and whoever is in it; an autovacuum worker, which is nobody's to end, leaves soon."""
    from django.db import ProgrammingError, connection

    ends = time.monotonic() + 30
    while True:
        try:
            with connection._nodb_cursor() as cursor:
                cursor.execute(f'drop database if exists "{database}" with (force)')
        except ProgrammingError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.2)
        else:
            return


# --- The application, served ------------------------------------------------------------------------------


@dataclass(frozen=True)
class LiveApp:
    """A granian process of its own on a database of its own."""

    url: str
    database_url: str
    env: dict[str, str]
    log: Path

    def __str__(self) -> str:
        return self.url


@pytest.fixture(scope="session")
def static_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of collected, hashed and compressed static files, as the web server wants them.

    Processes of one session share it: the first makes it, the others wait.
    """
    folder = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        folder = folder.parent
    root, made = folder / "static-files", folder / "static-files-made"
    with (folder / "static-files-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            subprocess.run(
                [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"],
                cwd=REPOSITORY,
                env={**os.environ, "CAPSTACK_PROCESS": "web", "STATIC_ROOT": str(root)},
                check=True,
                timeout=120,
            )
            made.touch()
    return root


class WebServer:
    """At most one server at a time, started when it is asked for and kept while the same is asked for."""

    def __init__(self) -> None:
        self._app: LiveApp | None = None
        self._running: RunningProgram | None = None

    def serving(self, env: dict[str, str]) -> LiveApp:
        """The application with this environment, ready."""
        if self._app is None or self._app.env != env:
            self.stop()
            self._app = self._start(env)
        _wait_until_it_reaches_its_database(self._app)
        return self._app

    def _start(self, env: dict[str, str]) -> LiveApp:
        port = free_port()
        url, log = f"http://127.0.0.1:{port}", _LOGS / f"web-{port}.log"
        program = replace(
            web_program(env=env, log=log, host="127.0.0.1", port=port), is_ready=lambda: _answers(f"{url}/livez")
        )
        self._running = RunningProgram(program=program)
        self._running.wait_ready()
        return LiveApp(url=url, database_url=env["DATABASE_URL"], env=env, log=log)

    def stop(self) -> None:
        if self._running is not None:
            self._running.stop()
        self._app = self._running = None


@pytest.fixture(scope="session")
def kept_server() -> Iterator[WebServer]:
    """Give the server of the tests that need one: to start it takes most of such a test's time."""
    server = WebServer()
    yield server
    server.stop()


@pytest.fixture
def live_app(
    committed_db: str,
    static_root: Path,
    empty_redis: "redis.Redis",
    kept_server: WebServer,
) -> LiveApp:
    """Serve the application over HTTP on the test's own database (see `committed_db`), as `make run` serves it."""
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        "DATABASE_URL": committed_db,
        "STATIC_ROOT": str(static_root),
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
    }
    return kept_server.serving(env)


@pytest.fixture
def start_worker(committed_db: str, empty_redis: "redis.Redis") -> Iterator[Callable[[str], RunningProgram]]:
    """Give a function that starts the real worker of a queue on the test's own database."""
    workers: list[RunningProgram] = []

    def start(queue: str) -> RunningProgram:
        env = {**os.environ, "DATABASE_URL": committed_db}
        worker = RunningProgram(program=worker_program(env=env, log=_LOGS / f"worker-{queue}.log", queue=queue))
        workers.append(worker)
        return worker

    yield start
    for worker in workers:
        worker.stop()


def free_port() -> int:
    """Return a TCP port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_it_reaches_its_database(app: LiveApp) -> None:
    """A kept server may have been asked something while the database of the test before was gone already."""
    ends = time.monotonic() + 60
    request = urllib.request.Request(f"{app.url}/api/v1/runway", headers={"Authorization": "Bearer of-nobody"})
    while True:
        try:
            urllib.request.urlopen(request, timeout=30)
        except urllib.error.HTTPError as refused:
            if refused.code == 401:
                return
            if time.monotonic() > ends:
                raise
        time.sleep(0.2)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    """No test is answered with what was kept of another's company: numbers of companies and runs come again."""
    from forecasting import rendered
    from forecasting.services import kept_flows

    rendered.forget_all()
    kept_flows.forget_all()


# --- AWS ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def moto_server() -> Iterator[str]:
    """Give the address of the session's AWS-compatible server; what a test left in it, `moto_url` sweeps out."""
    from moto import backends
    from moto.server import ThreadedMotoServer

    # It lists its own folder for every request.
    moto_modules = frozenset(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: moto_modules
    _let_clients_share_classes()
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def _let_clients_share_classes() -> None:
    """Make the class of a service's clients once: it has a method for each of EC2's 700 requests."""
    from botocore.client import ClientCreator

    make, classes = ClientCreator._create_client_class, {}

    def kept(self: ClientCreator, service: str, model: object) -> type:
        if service not in classes:
            classes[service] = make(self, service, model)
        return classes[service]

    ClientCreator._create_client_class = kept


@pytest.fixture
def moto_url(moto_server: str) -> str:
    """Give the address of an empty AWS-compatible server.

    Every server of moto in a process shows the same things, so a new one would hold what tests before left.
    """
    reset = urllib.request.Request(f"{moto_server}/moto-api/reset", method="POST")
    urllib.request.urlopen(reset, timeout=20).close()
    return moto_server


# --- What the machine may lack ----------------------------------------------------------------------------


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Give the folder of real and generated sample data that lies beside the repository."""
    folder = Path(os.environ.get("CAPSTACK_SHARED_DATA") or REPOSITORY.parent / "shared" / "data")
    if not folder.is_dir():
        missing(f"the shared sample data is not at {folder} (CAPSTACK_SHARED_DATA names another place)")
    return folder


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Give the path of a Chromium for browser tests."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    missing("there is no chromium on PATH")
    raise AssertionError
