"""Never two masters on one data folder: locks that the kernel drops when their holder dies."""

import contextlib
import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from capstack.embedded.data_folder import DataFolder

Kind = Literal["up", "command"]


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Who keeps the servers of a data folder running: the application, or a command for its own time."""

    pid: int
    kind: Kind


class FolderLock:
    """The right to run servers on a data folder."""

    def __init__(self, *, folder: DataFolder) -> None:
        self._path = folder.path / "lock"
        self._descriptor: int | None = None

    def acquire(self, *, kind: Kind) -> bool:
        """Take the lock and say so in it; False when somebody holds it."""
        descriptor = _locked(self._path, fcntl.LOCK_EX)
        if descriptor is None:
            return False
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "kind": kind}).encode(), 0)
        self._descriptor = descriptor
        return True

    def holder(self) -> Holder | None:
        """Return who holds the lock, as far as it can be read."""
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
            return Holder(pid=int(content["pid"]), kind=content["kind"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def is_held_by(self, pid: int) -> bool:
        """Whether a process of that id says it holds the lock; endpoints of a dead keeper are worth nothing."""
        holder = self.holder()
        return holder is not None and holder.pid == pid

    def holder_text(self) -> str:
        """Return the holder as the start of a sentence."""
        holder = self.holder()
        if holder is None:
            return "another process"
        return f"capstack (process {holder.pid})" if holder.kind == "up" else f"a command (process {holder.pid})"

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class GuestLock:
    """Held, shared, by commands that use servers which another command keeps; its keeper waits for them to end."""

    def __init__(self, *, folder: DataFolder) -> None:
        self._path = folder.path / "guests.lock"
        self._descriptor: int | None = None

    def enter(self) -> bool:
        """Become a guest; False when the keeper is closing."""
        self._descriptor = _locked(self._path, fcntl.LOCK_SH)
        return self._descriptor is not None

    def wait_until_alone(self) -> None:
        """Return once no guest is left, and let no new one in."""
        self._descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def leave(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _locked(path: Path, operation: int) -> int | None:
    # Python opens files close-on-exec: no child inherits the lock and keeps it after our death.
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        with contextlib.suppress(OSError):
            os.close(descriptor)
        return None
    return descriptor
