"""Files that were handed in, as plain values."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ledger.models.import_file import ImportFile, ImportState

_AT_WORK = frozenset({ImportState.CHECKING, ImportState.WAITING})
_DROPPABLE = frozenset({ImportState.CHECKED, ImportState.REFUSED})


@dataclass(frozen=True, slots=True)
class ImportFileRow:
    """One file and where it stands.

    Attributes:
        state_label: for people.
        result: `ImportReport.to_json()` of the import, or else of the dry run; None before the first.
        percent: how much of the content has been read; None while that is not known.
        mapping: name of the saved mapping it is read by; empty for none.
        recorded: events that the import has recorded so far.
        is_done: `result` says what happened, not what would.
    """

    id: int
    name: str
    format: str
    size_bytes: int
    account: str
    mapping: str
    state: str
    state_label: str
    lines_read: int
    recorded: int
    percent: int | None
    result: dict[str, Any] | None
    is_done: bool
    reason: str
    actor: str
    uploaded_at: datetime

    @property
    def at_work(self) -> bool:
        return self.state in _AT_WORK

    @property
    def may_confirm(self) -> bool:
        return self.state == ImportState.CHECKED

    @property
    def has_news(self) -> bool:
        """Whether importing the file changes anything, as far as its check has told."""
        result = self.result or {}
        return bool(result.get("recorded")) or any(bill["changes"] for bill in result.get("bills", ()))

    @property
    def may_go_on(self) -> bool:
        return self.state == ImportState.STOPPED

    @property
    def may_discard(self) -> bool:
        return self.state in _DROPPABLE


def import_file(*, company_id: int, file_id: int) -> ImportFileRow | None:
    """Return a file of this company; None when it has no such file."""
    return next(_rows(company_id=company_id, id=file_id), None)


def recent_import_files(*, company_id: int, limit: int) -> tuple[ImportFileRow, ...]:
    """Return the files handed in last, newest first."""
    return tuple(_rows(limit=limit, company_id=company_id))


def _rows(*, limit: int = 1, **where: int) -> Iterator[ImportFileRow]:
    for file in ImportFile.objects.filter(**where).order_by("-uploaded_at", "-id")[:limit]:
        yield ImportFileRow(
            id=file.id,
            name=file.name,
            format=file.format,
            size_bytes=file.size_bytes,
            account=file.account,
            mapping=file.mapping,
            state=file.state,
            state_label=file.get_state_display(),
            lines_read=file.lines_read,
            recorded=file.recorded,
            percent=min(100, file.bytes_read * 100 // file.bytes_total) if file.bytes_total else None,
            result=file.report or file.preview,
            is_done=file.report is not None,
            reason=file.reason,
            actor=file.actor.partition(":")[2] or file.actor,
            uploaded_at=file.uploaded_at,
        )
