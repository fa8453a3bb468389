"""Keeps programs running: starts them, restarts the dead with back-off, stops them all, newest first."""

import contextlib
import signal
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from capstack.supervision.leftovers import record_children
from capstack.supervision.problems import CannotStart
from capstack.supervision.program import Program, RunningProgram

TICK_SECONDS = 0.2
DEATHS_BEFORE_THE_END = 5
DEATHS_WINDOW_SECONDS = 60.0
FIRST_BACKOFF_SECONDS = 0.5
LONGEST_BACKOFF_SECONDS = 15.0
# A program that ends with this code (EX_TEMPFAIL) asks for a fresh process, such as a worker grown too large.
RESTART_ME = 75
# One that asks again within this time would only be restarted for ever.
SHORTEST_LIFE_SECONDS = 1.0
LOG_LIMIT_BYTES = 20_000_000
LOG_CHECK_SECONDS = 60.0


class StopAsked(Exception):
    """Ctrl-C or SIGTERM came while something was starting."""


@dataclass
class Child:
    """A supervised program and its recent deaths (monotonic seconds)."""

    program: Program
    running: RunningProgram | None
    deaths: deque[float] = field(default_factory=deque)
    restart_at: float | None = None

    def note_death(self, *, now_monotonic: float) -> None:
        """Remember a death and plan the restart: at once-ish, then twice as late each time."""
        self.deaths.append(now_monotonic)
        while self.deaths and now_monotonic - self.deaths[0] > DEATHS_WINDOW_SECONDS:
            self.deaths.popleft()
        backoff_seconds = FIRST_BACKOFF_SECONDS * 2.0 ** (len(self.deaths) - 1)
        self.restart_at = now_monotonic + min(backoff_seconds, LONGEST_BACKOFF_SECONDS)

    def dies_too_often(self) -> bool:
        return len(self.deaths) >= DEATHS_BEFORE_THE_END


class Supervisor:
    """The parent of every process of a running installation.

    Single-threaded: programs are forked from here, and the kernel ties their lives to the thread that forked them.
    """

    def __init__(self, *, say: Callable[[str], None], record: Path) -> None:
        self._say = say
        self._record = record
        self._children: list[Child] = []
        self._stop_signal: signal.Signals | None = None

    def listen_to_signals(self) -> None:
        """Turn Ctrl-C, SIGTERM and a closed terminal into a request to stop."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)

    def _ask_to_stop(self, number: int, _frame: FrameType | None) -> None:
        self._stop_signal = signal.Signals(number)

    @property
    def stop_asked(self) -> bool:
        return self._stop_signal is not None

    def start(self, programs: Sequence[Program]) -> None:
        """Start programs side by side and return once all are ready.

        Raises:
            CannotStart: one of them does not come up.
            StopAsked: a signal came meanwhile.
        """
        started = []
        for program in programs:
            self._check_stop()
            child = Child(program=program, running=RunningProgram(program=program))
            self._children.append(child)
            started.append(child)
            self._write_record()
        for child in started:
            assert child.running is not None
            try:
                child.running.wait_ready(keep_waiting=lambda: not self.stop_asked)
            except CannotStart:
                self._check_stop()
                raise

    def run_to_end(self, program: Program, *, timeout_seconds: float) -> None:
        """Run a program that ends by itself.

        Raises:
            CannotStart: it failed or took too long.
            StopAsked: a signal came meanwhile.
        """
        running = RunningProgram(program=program)
        deadline = time.monotonic() + timeout_seconds
        try:
            while (code := running.exit_code()) is None:
                self._check_stop()
                if time.monotonic() > deadline:
                    raise CannotStart(f"{program.name} took more than {timeout_seconds:.0f} s")
                time.sleep(TICK_SECONDS / 4)
        finally:
            running.stop()
        if code != 0:
            raise CannotStart(f"{program.name} failed: {running.last_log_line()} (log: {program.log})")

    def wait_until(self, condition: Callable[[], bool], *, timeout_seconds: float) -> bool:
        """Wait for a condition while every child must live; False when it did not come in time.

        Raises:
            CannotStart: a child ended meanwhile.
            StopAsked: a signal came meanwhile.
        """
        deadline = time.monotonic() + timeout_seconds
        while not condition():
            self._check_stop()
            for child in self._children:
                if child.running is not None and (code := child.running.exit_code()) is not None:
                    raise CannotStart(
                        f"{child.program.name} ended with code {code}: {child.running.last_log_line()}"
                        f" (log: {child.program.log})"
                    )
            if time.monotonic() > deadline:
                return False
            time.sleep(TICK_SECONDS)
        return True

    def supervise(self) -> None:
        """Keep every child running until a signal comes.

        Raises:
            CannotStart: a child died five times within a minute.
        """
        next_log_check = time.monotonic() + LOG_CHECK_SECONDS
        while not self.stop_asked:
            for child in self._children:
                self._look_after(child)
            if time.monotonic() > next_log_check:
                next_log_check = time.monotonic() + LOG_CHECK_SECONDS
                for child in self._children:
                    _cut_log(child.program.log)
            time.sleep(TICK_SECONDS)

    def stop(self) -> None:
        """Stop everything: the application's processes together, then its servers, newest first."""
        alive = [child.running for child in reversed(self._children) if child.running is not None]
        servers = [running for running in alive if running.program.is_server]
        others = [running for running in alive if not running.program.is_server]
        for running in others:
            running.ask_to_stop()
        for running in [*others, *servers]:
            running.stop()
        self._children.clear()
        with contextlib.suppress(OSError):
            self._record.unlink(missing_ok=True)

    def _look_after(self, child: Child) -> None:
        now_monotonic = time.monotonic()
        if child.running is None:
            if child.restart_at is not None and now_monotonic >= child.restart_at:
                child.restart_at = None
                child.running = RunningProgram(program=child.program)
                self._write_record()
                self._say(f"{child.program.name} runs again (process {child.running.pid})")
            return
        code = child.running.exit_code()
        if code is None:
            return
        # Whatever the dead one left in its group would hold ports and locks against its successor.
        child.running.kill_group()
        if code == RESTART_ME and now_monotonic - child.running.started_monotonic > SHORTEST_LIFE_SECONDS:
            child.running = RunningProgram(program=child.program)
            self._write_record()
            self._say(f"{child.program.name} asked for a fresh process")
            return
        reason = child.running.last_log_line()
        child.running = None
        child.note_death(now_monotonic=now_monotonic)
        if child.dies_too_often():
            raise CannotStart(
                f"{child.program.name} died {DEATHS_BEFORE_THE_END} times within a minute, last: {reason}"
                f" (log: {child.program.log})"
            )
        self._say(f"{child.program.name} died ({_exit_text(code)}), restarting it")

    def _check_stop(self) -> None:
        if self.stop_asked:
            raise StopAsked

    def _write_record(self) -> None:
        record_children(
            path=self._record,
            pids={child.program.name: child.running.pid for child in self._children if child.running is not None},
        )


def _exit_text(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _cut_log(log: Path) -> None:
    """Keep one older part of a log that has grown too large; its writer appends and goes on at the new end."""
    with contextlib.suppress(OSError):
        if log.stat().st_size > LOG_LIMIT_BYTES:
            log.with_suffix(".log.1").write_bytes(log.read_bytes())
            with log.open("r+b") as file:
                file.truncate(0)
