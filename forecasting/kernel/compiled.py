"""Functions that numba turns into machine code: loops over paths, without the interpreter and its lock.

They are compiled when they are first called, some seconds for all of them, and what came out is kept beside the
source (or in NUMBA_CACHE_DIR) for whoever comes next.
"""

from collections.abc import Callable
from typing import Any

from numba import njit

# What a compiler may do to float32 sums without touching what NaN and infinity mean: a product and a sum in one
# step, no care for the sign of zero. It may not reorder sums, so that the same paths come to the same bits.
_ALLOWED = {"contract", "nsz"}


def compiled[**P, R](function: Callable[P, R]) -> Callable[P, R]:
    """Compile on first call; the lock of the interpreter is not held meanwhile it runs."""
    options: dict[str, Any] = {"nogil": True, "fastmath": _ALLOWED, "error_model": "numpy"}
    try:
        made: Callable[P, R] = njit(cache=True, **options)(function)
    except RuntimeError:  # nowhere to write: a read-only installation without a home
        made = njit(**options)(function)
    return made
