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
    return [(start, min(start + PATHS_PER_BLOCK, paths)) for start in range(0, paths, PATHS_PER_BLOCK)]


def for_each_block(work: Callable[[int, int], None], *, paths: int) -> None:
    """Call `work(start, stop)` once per block, on up to four threads; the first exception is raised here.

    Threads are made per call: it costs 60 us each, and nothing is left to break when a worker forks.
    """
    todo = iter(blocks(paths))  # next() on a list iterator is atomic
    failures: list[BaseException] = []

    def drain() -> None:
        try:
            for start, stop in todo:
                work(start, stop)
        except BaseException as failure:
            failures.append(failure)

    wanted = min(
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        MOST_THREADS,
        -(-paths // PATHS_PER_BLOCK),
    )
    others = [Thread(target=drain, name=f"kernel-{n}", daemon=True) for n in range(1, wanted)]
    for thread in others:
        thread.start()
    drain()
    for thread in others:
        thread.join()
    if failures:
        raise failures[0]
