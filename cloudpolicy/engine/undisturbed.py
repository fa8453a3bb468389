"""Building many small values in one go, without the garbage collector looking through them again and again."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let the collector rest. Only for work that is short and makes no reference cycles: there is nothing to find.

    Threads may overlap in here. Whoever found it running lets it run again, so it is never left off; the others
    are merely disturbed a little earlier.
    """
    was_running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_running:
            gc.enable()
