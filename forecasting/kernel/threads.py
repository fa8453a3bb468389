"""The threads that walk paths, two for each process that simulates."""

import os
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

THREADS = 2

_lock = Lock()
_threads: ThreadPoolExecutor | None = None


def threads() -> ThreadPoolExecutor:
    """The same two for everybody; they walk without the interpreter's lock."""
    global _threads
    with _lock:
        if _threads is None:
            _threads = ThreadPoolExecutor(THREADS, thread_name_prefix="paths")
        return _threads


def _forget() -> None:
    """A forked child has the pool and not its threads."""
    global _threads, _lock
    _lock, _threads = Lock(), None


os.register_at_fork(after_in_child=_forget)
