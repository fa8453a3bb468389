"""Taking in a file from the browser, checking it, and importing it when a person confirms."""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, BinaryIO

from django.db import transaction
from django.db.models import F, Q, QuerySet

from ledger.importers.csv_mapping import CsvChoices
from ledger.importers.row import FileRefused
from ledger.importers.source import plain_stream
from ledger.models.import_file import ImportChunk, ImportFile, ImportState
from ledger.selectors.companies import company_ref
from ledger.services.csv_choices import choices_from_json, choices_json
from ledger.services.import_events import import_events, inspect_file
from ledger.services.import_report import ImportProgress, ImportReport
from ledger.services.provenance import CameBy
from ledger.services.saved_mappings import keep_mapping

CHUNK_BYTES = 1_048_576
MAX_UPLOAD_BYTES = 64 * 1_048_576
# Unpacked; larger files go through the command.
MAX_PLAIN_BYTES = 1_073_741_824
# A worker shows after each batch that it lives; whoever was silent for this long is taken for dead.
LEASE = timedelta(minutes=5)
# The page shows the first problems, the file itself stays for the rest.
KEPT_PROBLEMS = 200
MAX_SWEPT = 100
MAX_ATTEMPTS = 5
AT_WORK = (ImportState.CHECKING, ImportState.WAITING)


def receive_file(
    *,
    company_id: int,
    name: str,
    stream: BinaryIO,
    format_name: str,
    account: str | None,
    choices: CsvChoices,
    actor: str,
    now: datetime,
    save_as: str = "",
) -> int:
    """Keep a file to be checked and return its number, for `ledger.jobs.wake_import` after the commit.

    Args:
        save_as: the name under which the choices are kept for later files with the same header; empty for none.

    Raises:
        FileRefused: too large, or not what it says.
    """
    inspected = inspect_file(
        company_id=company_id,
        stream=stream,
        format_name=format_name,
        choices=choices,
        account=account,
        max_plain_bytes=MAX_PLAIN_BYTES,
    )
    how = inspected.reading
    stream.seek(0)
    if save_as:
        with plain_stream(stream) as plain:
            keep_mapping(
                company_id=company_id,
                name=save_as,
                stream=plain,
                format_name=inspected.format,
                how=how,
                actor=actor,
                now=now,
            )
        stream.seek(0)
    with transaction.atomic():
        file = ImportFile.objects.create(
            company_id=company_id,
            name=name[:255],
            size_bytes=0,
            sha256=b"",
            format=inspected.format,
            account=how.account or "",
            choices=choices_json(how.choices),
            mapping=save_as or how.mapping,
            actor=actor,
            uploaded_at=now,
        )
        file.size_bytes, file.sha256 = _keep(file.id, iter(lambda: stream.read(CHUNK_BYTES), b""))
        file.save(update_fields=["size_bytes", "sha256"])
    return file.id


def _keep(file_id: int, chunks: Iterable[bytes]) -> tuple[int, bytes]:
    digest = sha256()
    size_bytes = 0
    for number, chunk in enumerate(chunks):
        size_bytes += len(chunk)
        if size_bytes > MAX_UPLOAD_BYTES:
            limit = f"{MAX_UPLOAD_BYTES // 1_048_576} MB"
            raise FileRefused(f"larger than {limit}: compress it with gzip, or use the command import_events")
        digest.update(chunk)
        ImportChunk.objects.create(import_file_id=file_id, number=number, content=chunk)
    return size_bytes, digest.digest()


def confirm_import(*, file_id: int, actor: str) -> bool:
    """Let a checked file be imported, in the name of who confirms; false when it is not in that state."""
    return bool(
        ImportFile.objects.filter(id=file_id, state=ImportState.CHECKED).update(
            state=ImportState.WAITING, actor=actor, lines_read=0, bytes_read=0, attempts=0
        )
    )


def discard_import(*, file_id: int, now: datetime) -> bool:
    """Drop a checked or refused file and its content; false when it is in another state."""
    with transaction.atomic():
        dropped = ImportFile.objects.filter(
            id=file_id, state__in=[ImportState.CHECKED, ImportState.REFUSED]
        ).update(state=ImportState.DISCARDED, finished_at=now)
        if dropped:
            ImportChunk.objects.filter(import_file_id=file_id).delete()
    return bool(dropped)


def abandoned_imports(*, now: datetime) -> tuple[tuple[int, str], ...]:
    """Number and state of the files that wait for work and that no worker is at work on, oldest first."""
    return tuple(_claimable(now).order_by("uploaded_at").values_list("id", "state")[:MAX_SWEPT])


def run_import(*, file_id: int, clock: Callable[[], datetime]) -> str:
    """Check or import a file, whichever is its turn, and return its state afterwards.

    Two workers may race; one wins, and the other finds nothing to do. A worker that dies is followed by another
    after LEASE; what the first one recorded is recognised then.
    """
    now = clock()
    if not _claimable(now).filter(id=file_id).update(claimed_at=now, attempts=F("attempts") + 1):
        return "nothing to do"
    file = ImportFile.objects.get(id=file_id)
    if file.attempts > MAX_ATTEMPTS:
        reason = f"broke off {MAX_ATTEMPTS} times, see the worker's log; some lines may have been recorded"
        return _settle(file_id, clock, state=ImportState.REFUSED, reason=reason)
    checking = file.state == ImportState.CHECKING

    def show_life(progress: ImportProgress) -> None:
        ImportFile.objects.filter(id=file_id).update(
            claimed_at=clock(),
            lines_read=progress.read,
            bytes_read=progress.read_bytes,
            bytes_total=progress.total_bytes,
        )

    try:
        with _content(file) as stream:
            report = import_events(
                company=company_ref(company_id=file.company_id),
                stream=stream,
                actor=file.actor,
                now=now,
                format_name=file.format,
                account=file.account or None,
                choices=choices_from_json(file.choices),
                dry_run=checking,
                on_progress=show_life,
                came_by=CameBy(import_file_id=file.id),
            )
    except FileRefused as error:
        return _settle(file_id, clock, state=ImportState.REFUSED, reason=str(error))
    except Exception:
        # The database may be back in a moment: the sweeper tries again.
        ImportFile.objects.filter(id=file_id).update(claimed_at=None)
        raise
    if checking:
        return _settle(file_id, clock, state=ImportState.CHECKED, preview=_kept(report))
    return _settle(file_id, clock, state=ImportState.DONE, report=_kept(report))


def _settle(file_id: int, clock: Callable[[], datetime], *, state: ImportState, **result: Any) -> str:
    now = clock()
    finished_at = None if state == ImportState.CHECKED else now
    ImportFile.objects.filter(id=file_id, state__in=AT_WORK).update(
        state=state, claimed_at=None, finished_at=finished_at, **result
    )
    return state.value


def _claimable(now: datetime) -> QuerySet[ImportFile]:
    free = Q(claimed_at__isnull=True) | Q(claimed_at__lt=now - LEASE)
    return ImportFile.objects.filter(free, state__in=AT_WORK)


@contextmanager
def _content(file: ImportFile) -> Iterator[BinaryIO]:
    with tempfile.TemporaryFile(prefix="capstack-import-") as spool:
        chunks = ImportChunk.objects.filter(import_file_id=file.id).order_by("number")
        for content in chunks.values_list("content", flat=True).iterator(chunk_size=4):
            spool.write(content)
        spool.seek(0)
        yield spool


def _kept(report: ImportReport) -> dict[str, Any]:
    return report.to_json(most_problems=KEPT_PROBLEMS)
