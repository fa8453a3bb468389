"""Where exported heads are kept: a folder or a bucket, outside of the database."""

from collections.abc import Iterator
from typing import Protocol

from ledger.domain.chain_check import Span


class PlaceUnusable(RuntimeError):
    """The place cannot be read or written, or holds what is no exported head; the message says what and why."""


class Place(Protocol):
    """Keeps the exported heads of every company, in order, and only ever adds."""

    def spans(self, *, company_id: int) -> Iterator[Span]:
        """Yield what was exported of a company, in order."""
        ...

    def last(self, *, company_id: int) -> Span | None:
        """Return what was exported last of a company."""
        ...

    def add(self, line: str, *, last: int, company_id: int) -> None:
        """Keep one more line, durably; `last` is the last position it speaks of."""
        ...
