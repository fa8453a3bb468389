"""Blocks of paths on a few threads. NumPy releases the interpreter while it computes, so two can share the work.

Which block a path belongs to never depends on the number of threads or on timing, so results do not either.
"""

import os
from collections.abc import Callable
from threading import Thread

# One block's levels (13 months x 12 rows, float32) fill about 1.5 MB: the second-level cache of one core.
PATHS_PER_BLOCK = 2_500
MOST_THREADS = 4


def blocks(paths: int) -> list[tuple[int, int]]:
    """Half-open path ranges."""
    return pieces(count=paths, size=PATHS_PER_BLOCK)


def pieces(*, count: int, size: int) -> list[tuple[int, int]]:
    """0 .. count - 1 in half-open ranges of `size`, the last one shorter."""
    return [(start, min(start + size, count)) for start in range(0, count, size)]


def in_pieces(work: Callable[[int, int], None], *, count: int, size: int) -> None:
    """Call `work(start, stop)` once per piece, on a few threads; the first exception is raised here.

    Threads are made per call: that costs 60 us each, and nothing is left to break when a worker forks.
    """
    todo = pieces(count=count, size=size)
    left = iter(todo)  # next() on a list iterator is atomic
    failures: list[BaseException] = []

    def drain() -> None:
        try:
            for start, stop in left:
                work(start, stop)
        except BaseException as failure:
            failures.append(failure)

    helpers = min(_cores(), MOST_THREADS, len(todo)) - 1
    threads = [Thread(target=drain, name=f"kernel-{n}", daemon=True) for n in range(helpers)]
    for thread in threads:
        thread.start()
    drain()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def _cores() -> int:
    """Cores this process may use; a container often has fewer than the machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
