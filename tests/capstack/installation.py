"""A whole installation, started as a person starts it, for the tests that need one."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import psutil

REPOSITORY = Path(__file__).resolve().parents[2]
OURS = (
    "DATABASE_URL",
    "REDIS_URL",
    "REDIS_QUEUE_URL",
    "SECRET_KEY",
    "DATA_DIR",
    "AWS_ENDPOINT_URL",
    "STATIC_ROOT",
)
# A loaded machine takes its time; a healthy one needs a fifth of it.
START_SECONDS = 150


def bare_environment() -> dict[str, str]:
    """Return the environment of a person who has configured nothing."""
    return {name: value for name, value in os.environ.items() if name not in OURS}


@dataclass
class Up:
    """A running `manage.py up`."""

    process: subprocess.Popen[bytes]
    data_dir: Path
    port: int
    output: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def text(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def get(self, path: str) -> tuple[int, bytes]:
        try:
            with urllib.request.urlopen(self.url + path, timeout=20) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError:
            return 0, b""

    def is_ready(self) -> bool:
        return self.get("/readyz")[0] == 200

    def children(self) -> dict[str, int]:
        recorded = json.loads((self.data_dir / "processes.json").read_text())
        return {entry["name"]: entry["pid"] for entry in recorded}

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def manage(self, *argv: str) -> subprocess.CompletedProcess[str]:
        return manage(*argv, data_dir=self.data_dir)

    def wait_until_up(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while "Ctrl-C stops everything" not in self.text():
            assert self.process.poll() is None, self.text()
            assert time.monotonic() < deadline, self.text()
            time.sleep(0.1)


def start_up(*, data_dir: Path, port: int, output: Path, options: tuple[str, ...] = ()) -> Up:
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--port", str(port), "--data-dir", str(data_dir), *options],
            cwd=REPOSITORY,
            env=bare_environment(),
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Up(process=process, data_dir=data_dir, port=port, output=output)


def manage(*argv: str, data_dir: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *argv],
        cwd=REPOSITORY,
        env=bare_environment() | {"DATA_DIR": str(data_dir)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def wait_for(condition, *, seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(0.1)


def is_gone(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
