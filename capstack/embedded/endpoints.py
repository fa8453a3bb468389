"""Where the servers of a running installation are, written down under DATA_DIR for commands beside it."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Endpoints:
    """What a process needs to reach the servers.

    Attributes:
        pid: the process that keeps them running.
        environment: DATABASE_URL, REDIS_URL, REDIS_QUEUE_URL and, in the demo, AWS_ENDPOINT_URL with its keys.
        web_url: address of the web server, None while there is none.
    """

    pid: int
    environment: Mapping[str, str] = field(default_factory=dict)
    web_url: str | None = None


def write_endpoints(*, path: Path, endpoints: Endpoints) -> None:
    """Replace the file in one step. It may hold passwords of servers of your own: only its owner reads it."""
    unfinished = path.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        json.dump(asdict(endpoints), file, indent=2)
    unfinished.replace(path)


def read_endpoints(*, path: Path) -> Endpoints | None:
    """Return what was written, or None when there is nothing (or half a file of a killed writer)."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Endpoints(
            pid=int(content["pid"]), environment=dict(content["environment"]), web_url=content["web_url"]
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
