"""Doing things in threads alongside, while the caller prepares the next."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from types import TracebackType
from typing import Self

from django.db import connection, connections

AT_ONCE = 2


class Abandoned(RuntimeError):
    """The call before failed, so this one is not made either."""


class Turn:
    """A call's place among those that run at once, and what they tell each other.

    A call has two halves. The second ones come strictly one after the other; the first one of a call may run while
    the second one of the call before does, from when that one is `prepared`. A call that has to begin again
    `stumbles`: whoever runs after it lets go of what it prepared, and waits for the end.
    """

    def __init__(self, before: "Turn | None" = None) -> None:
        self._before = before
        self._state: threading.Condition = threading.Condition() if before is None else before._state
        self._caller_free = False
        self._prepared = False
        self._stumbled = False
        self._ended = False
        self._failed = False

    def waits(self) -> None:
        """Nothing is left to do but wait for somebody else: the caller may go on."""
        self._note("_caller_free")

    def prepared(self) -> None:
        """The first half is done: that of the next call may begin."""
        self._note("_prepared")

    def stumbles(self) -> None:
        """The first half is undone, this call begins again."""
        self._note("_stumbled")

    @property
    def stumbled(self) -> bool:
        return self._stumbled

    def await_preparation(self) -> None:
        """Wait until the first half may begin."""
        self._await("_ended", "_prepared")

    def comes(self) -> bool:
        """Wait until the second half may begin; False when the call before has stumbled instead.

        Raises:
            Abandoned: the call before failed.
        """
        before = self._before
        self._await("_ended", "_stumbled")
        if before is not None and before._failed:
            raise Abandoned
        return before is None or before._ended

    def await_end(self) -> None:
        """Wait until the call before has ended.

        Raises:
            Abandoned: it failed.
        """
        self._await("_ended")
        if self._before is not None and self._before._failed:
            raise Abandoned

    def run[Made](self, work: Callable[[], Made]) -> Made:
        """Make the call; it ends after the one before."""
        try:
            made = work()
            self.await_end()
        except BaseException:
            self._note("_failed")
            raise
        else:
            return made
        finally:
            self._before = None  # or all turns of a stream would hang on each other
            self._note("_ended", "_caller_free")

    def await_leave(self) -> None:
        """Wait until the caller may go on."""
        with self._state:
            self._state.wait_for(lambda: self._caller_free)

    def _note(self, *names: str) -> None:
        with self._state:
            for name in names:
                setattr(self, name, True)
            self._state.notify_all()

    def _await(self, *any_of: str) -> None:
        before = self._before
        if before is not None:
            with self._state:
                self._state.wait_for(lambda: any(getattr(before, name) for name in any_of))


class Alongside[Given, Made]:
    """Runs calls in order, two at once, each in a thread of its own; their turns say who waits for whom.

    The caller goes on only when a call begins to wait for somebody else (the database). Of threads that all
    compute, each waits for the others' turn of Python to end, and a few statements would take as long as the whole
    batch.

    Each thread has a connection of its own. Inside a transaction of the caller it would not see what that one
    wrote, so then the calls are made right away; and so is a call that nothing follows.
    """

    def __init__(self, work: Callable[[Given, Turn], Made]) -> None:
        self._work = work
        self._in_place = connection.in_atomic_block
        self._threads: list[ThreadPoolExecutor] = []
        self._running: deque[Future[Made]] = deque()
        self._last: Turn | None = None
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for thread in self._threads:
            # The pool gets its connection back before the thread ends; what is being written is finished first.
            thread.submit(connections.close_all)
        for thread in self._threads:
            thread.shutdown(wait=True)

    def hand_over(self, given: Given, *, is_last: bool) -> list[Made]:
        """Begin work on something; return what is made of earlier ones, and of this one when it is the last.

        Raises:
            whatever the work raised, also that on an earlier thing.
        """
        if self._in_place or (is_last and not self._threads):
            return [self._work(given, Turn())]
        made = [self._running.popleft().result()] if len(self._running) == AT_ONCE else []
        if not self._threads:
            connection.close()  # the pool may need it for the threads
        if len(self._threads) < AT_ONCE:
            self._threads.append(ThreadPoolExecutor(max_workers=1, thread_name_prefix="alongside"))
        turn = Turn(self._last)
        thread = self._threads[self._count % AT_ONCE]
        self._running.append(thread.submit(copy_context().run, turn.run, lambda: self._work(given, turn)))
        self._last = turn
        self._count += 1
        turn.await_leave()
        while is_last and self._running:
            made.append(self._running.popleft().result())
        return made
