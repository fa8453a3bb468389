"""Doing one thing in a thread alongside, while the caller prepares the next."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from types import TracebackType
from typing import Self

from django.db import connection, connections


class Alongside[Given, Made]:
    """Runs calls in order, one at a time, the caller at most one ahead.

    The work is handed a function to call when it begins to wait for somebody else (the database). Only then does
    the caller go on: of two threads that both compute, each waits for the other's turn of Python to end, 5 ms at a
    time, and a few statements would take as long as the whole batch.

    The thread has a connection of its own. Inside a transaction of the caller it would not see what that one
    wrote, so then the calls are made right away; and so is a call that nothing follows.
    """

    def __init__(self, work: Callable[[Given, Callable[[], None]], Made]) -> None:
        self._work = work
        self._in_place = connection.in_atomic_block
        self._thread: ThreadPoolExecutor | None = None
        self._running: Future[Made] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread is not None:
            # The pool gets its connection back before the thread ends; what is being written is finished first.
            self._thread.submit(connections.close_all)
            self._thread.shutdown(wait=True)

    def hand_over(self, given: Given, *, is_last: bool) -> list[Made]:
        """Begin work on something; return what is made of earlier ones, and of this one when it is the last.

        Raises:
            whatever the work raised, also that on an earlier thing.
        """
        if self._in_place or (is_last and self._thread is None):
            return [self._work(given, _nobody_waits)]
        if self._thread is None:
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="alongside")
        made = self.finish()
        waits = threading.Event()
        self._running = self._thread.submit(copy_context().run, self._work, given, waits.set)
        self._running.add_done_callback(lambda _: waits.set())
        waits.wait()
        return [*made, *(self.finish() if is_last else ())]

    def finish(self) -> list[Made]:
        """Wait for what is running and return it."""
        running, self._running = self._running, None
        return [] if running is None else [running.result()]


def _nobody_waits() -> None:
    """What the work is handed when the caller itself does it."""
