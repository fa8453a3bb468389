"""A long-lived program: how it is started, when it is ready, how it is stopped."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from capstack.supervision.parent import end_with_parent
from capstack.supervision.problems import CannotStart

POLL_SECONDS = 0.05
LOG_TAIL_BYTES = 4096


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to run.

    Attributes:
        name: for progress lines and log files, such as `postgres` or `worker-forecast`.
        log: file that receives stdout and stderr, appended.
        shows_output: stdout goes to the terminal instead.
        user_id: system user to run as; None keeps ours. Only root may name another one.
        niceness: added to ours; ingestion must not wait for a simulation.
        stop_signals: sent in turn, each with the seconds to wait for it; then the whole group is killed.
        is_server: others depend on it, so it is stopped after them.
        before_start: makes the ground fit for it, at each start and restart.
        is_ready: answers whether the program serves; None means that running is enough.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    log: Path
    cwd: Path = Path("/")
    user_id: int | None = None
    group_id: int | None = None
    niceness: int = 0
    shows_output: bool = False
    stop_signals: tuple[tuple[signal.Signals, float], ...] = ((signal.SIGTERM, 5.0),)
    is_server: bool = False
    before_start: Callable[[], None] | None = field(default=None, compare=False)
    is_ready: Callable[[], bool] | None = field(default=None, compare=False)
    ready_timeout_seconds: float = 60.0


class RunningProgram:
    """A started program; leader of its own session, so that Ctrl-C in the terminal reaches its keeper alone."""

    def __init__(self, *, program: Program) -> None:
        self.program = program
        parent_pid = os.getpid()

        def between_fork_and_exec() -> None:
            # After the change of user, which would clear the request.
            end_with_parent(death_signal=program.stop_signals[0][0], parent_pid=parent_pid)
            if program.niceness:
                os.nice(program.niceness)

        program.log.parent.mkdir(parents=True, exist_ok=True)
        if program.before_start is not None:
            program.before_start()
        try:
            with program.log.open("ab") as log:
                # Where this start begins, so that no message quotes an earlier one.
                self._log_start = log.tell()
                self._process = subprocess.Popen(  # noqa: S603 -- argv is built by capstack alone
                    program.argv,
                    env=dict(program.env),
                    cwd=program.cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=None if program.shows_output else log,
                    stderr=log,
                    start_new_session=True,
                    user=program.user_id,
                    group=program.group_id,
                    extra_groups=None if program.user_id is None else [],
                    umask=0o077,
                    preexec_fn=between_fork_and_exec,
                )
        except OSError as error:
            raise CannotStart(f"{program.name} does not start: {error}") from error
        self.pid = self._process.pid
        self.started_monotonic = time.monotonic()

    def exit_code(self) -> int | None:
        """Return the exit code, or None while it runs."""
        return self._process.poll()

    def wait_ready(self, *, keep_waiting: Callable[[], bool] = lambda: True) -> None:
        """Return once the program serves.

        Raises:
            CannotStart: it ended, took too long, or `keep_waiting` turned false.
        """
        deadline = time.monotonic() + self.program.ready_timeout_seconds
        while True:
            if (code := self.exit_code()) is not None:
                raise CannotStart(
                    f"{self.program.name} ended with code {code} while starting: {self.last_log_line()}"
                    f" (log: {self.program.log})"
                )
            if self.program.is_ready is None or self.program.is_ready():
                return
            if not keep_waiting():
                raise CannotStart(f"{self.program.name} was stopped while starting")
            if time.monotonic() > deadline:
                raise CannotStart(
                    f"{self.program.name} did not answer within {self.program.ready_timeout_seconds:.0f} s"
                    f" (log: {self.program.log})"
                )
            time.sleep(POLL_SECONDS)

    def last_log_line(self) -> str:
        """Return the last line that is not blank, for a message of one line."""
        with self.program.log.open("rb") as log:
            size = self.program.log.stat().st_size
            log.seek(max(min(self._log_start, size), size - LOG_TAIL_BYTES))
            lines = [line.strip() for line in log.read().decode("utf-8", "replace").splitlines()]
        return next((line for line in reversed(lines) if line), "it wrote no log")

    def ask_to_stop(self) -> None:
        """Send the first stop signal and return at once."""
        self._signal(self.program.stop_signals[0][0])

    def stop(self) -> int:
        """Stop the program and everything in its session; return its exit code."""
        for stop_signal, wait_seconds in self.program.stop_signals:
            if self.exit_code() is not None:
                break
            self._signal(stop_signal)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=wait_seconds)
        self.kill_group()
        return self._process.wait()

    def kill_group(self) -> None:
        """Kill what is left of the session: children that outlived their leader."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)
