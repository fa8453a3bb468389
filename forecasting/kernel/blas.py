"""One BLAS thread per kernel thread.

The kernel splits paths over threads itself. A BLAS that splits each small product again would fight it for the
same cores, and its choice of split could change the last bit of a sum.
"""

from functools import cache

from threadpoolctl import ThreadpoolController


@cache
def use_one_blas_thread() -> None:
    """Set every loaded BLAS to one thread, for the life of the process."""
    ThreadpoolController().limit(limits=1, user_api="blas")
