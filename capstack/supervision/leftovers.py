"""Processes of a run that was killed with -9, found again by process id and start time, and ended."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

STOP_SECONDS = 5.0


def record_children(*, path: Path, pids: Mapping[str, int]) -> None:
    """Write down which processes now belong to this run."""
    entries = []
    for name, pid in pids.items():
        with contextlib.suppress(psutil.NoSuchProcess):
            entries.append({"name": name, "pid": pid, "created": psutil.Process(pid).create_time()})
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(entries), encoding="utf-8")
    unfinished.replace(path)


def end_leftovers(*, path: Path) -> tuple[str, ...]:
    """End what a previous run left behind and return its names.

    On Linux the kernel has already asked our children to end (see `parent`); their own children may remain.
    Each child led a process group: a group whose leader is gone still carries its number, and nobody else can get
    that number while a member lives. A number that now belongs to a process of another start time is a stranger's.
    """
    try:
        recorded = json.loads(path.read_text(encoding="utf-8"))
        entries = [(str(entry["name"]), int(entry["pid"]), float(entry["created"])) for entry in recorded]
    except (OSError, ValueError, KeyError, TypeError):
        return ()
    ours = [(name, pid) for name, pid, created in entries if not _belongs_to_stranger(pid, created)]
    ended = [name for name, pid in ours if _group_lives(pid)]
    # PostgreSQL is ended by its own data directory, with its own signals.
    groups = [pid for name, pid in ours if name != "postgres"]
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in groups:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, number)
        deadline = time.monotonic() + STOP_SECONDS
        while any(_group_lives(pid) for pid in groups) and time.monotonic() < deadline:
            time.sleep(0.05)
    path.unlink(missing_ok=True)
    return tuple(ended)


def _belongs_to_stranger(pid: int, created: float) -> bool:
    try:
        return abs(psutil.Process(pid).create_time() - created) > 1
    except psutil.NoSuchProcess:
        return False


def _group_lives(pid: int) -> bool:
    try:
        os.killpg(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return any(_is_member(process, pid) for process in psutil.process_iter())


def _is_member(process: psutil.Process, group: int) -> bool:
    # A zombie that nobody reaps (process 1 of a plain container) keeps its group number for ever.
    with contextlib.suppress(psutil.Error, ProcessLookupError):
        return os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE
    return False
