"""Transactions that write only what the journal implies."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

_NO_WAIT = "SET LOCAL synchronous_commit = off"


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
                cursor.execute(f"{first_words} {_NO_WAIT}")
        yield


def derive(sql: str, values: Mapping[str, Any]) -> int:
    """Execute one statement as a transaction of `derived_only`, in one round trip; return how many rows it wrote.

    Several statements sent as one text are one transaction. Within a caller's the statement is a part of that.
    """
    with connection.cursor() as cursor:
        if connection.in_atomic_block:
            cursor.execute(sql, values)
        else:
            cursor.execute(f"{_NO_WAIT}; {sql}", values)
            cursor.nextset()
        written: int = cursor.rowcount
    return written
