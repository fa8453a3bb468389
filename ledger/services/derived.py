"""Transactions that write only what the journal implies."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def derived_only(*, first_words: str = "") -> Iterator[None]:
    """A transaction whose commit does not wait for the disk, for what is worked out again if it is lost.

    Others see it at once, and what commits after it and does wait takes it along, so after a crash of the server
    nothing is left that rests on something lost. Within a caller's transaction the caller's commit decides.

    Args:
        first_words: SQL that has to come first in a transaction; left out within a caller's.
    """
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost:
            with connection.cursor() as cursor:
                cursor.execute(f"{first_words} SET LOCAL synchronous_commit = off")
        yield
