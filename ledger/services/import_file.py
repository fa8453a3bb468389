"""Taking in a file from the browser, checking it, and importing it when a person confirms."""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, BinaryIO

from django.db import DatabaseError, transaction
from django.db.models import F, Q, QuerySet

from ledger.importers.csv_mapping import CsvChoices
from ledger.importers.row import FileRefused
from ledger.importers.source import plain_stream
from ledger.models.import_file import ImportChunk, ImportFile, ImportState
from ledger.selectors.companies import company_ref
from ledger.services.csv_choices import choices_from_json, choices_json
from ledger.services.file_reading import inspect_file
from ledger.services.import_events import import_events
from ledger.services.import_report import ImportProgress, ImportReport
from ledger.services.provenance import CameBy
from ledger.services.saved_mappings import keep_mapping

CHUNK_BYTES = 1_048_576
MAX_UPLOAD_BYTES = 64 * 1_048_576
# Unpacked; larger files go through the command.
MAX_PLAIN_BYTES = 1_073_741_824
# A worker shows after each batch and while it reads that it lives; silent for this long it is taken for dead.
LEASE = timedelta(minutes=5)
# The page shows the first problems, the file itself stays for the rest.
KEPT_PROBLEMS = 200
MAX_SWEPT = 100
MAX_ATTEMPTS = 5
AT_WORK = (ImportState.CHECKING, ImportState.WAITING)
# What `run_import` says when somebody stopped the work or took it over.
LOST = "lost"


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
    how = inspected.how
    stream.seek(0)
    if save_as:
        with plain_stream(stream) as plain:
            keep_mapping(
                company_id=company_id,
                name=save_as,
                stream=plain,
                format_name=inspected.importer.name,
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
            format=inspected.importer.name,
            account=how.account or "",
            choices=choices_json(how.choices),
            mapping=save_as or how.mapping,
            actor=actor,
            uploaded_at=now,
        )
        file.size_bytes, file.sha256 = _keep(file.id, iter(lambda: stream.read(CHUNK_BYTES), b""))
        file.save(update_fields=["size_bytes", "sha256"])
    return file.id


def refuse_large_uploads(size_bytes: int) -> None:
    """Raise FileRefused above the limit, with the ways around it."""
    if size_bytes > MAX_UPLOAD_BYTES:
        limit = f"{MAX_UPLOAD_BYTES // 1_048_576} MB"
        raise FileRefused(f"larger than {limit}: compress it with gzip, or use the command import_events")


def _keep(file_id: int, chunks: Iterable[bytes]) -> tuple[int, bytes]:
    digest = sha256()
    size_bytes = 0
    for number, chunk in enumerate(chunks):
        size_bytes += len(chunk)
        refuse_large_uploads(size_bytes)
        digest.update(chunk)
        ImportChunk.objects.create(import_file_id=file_id, number=number, content=chunk)
    return size_bytes, digest.digest()


def confirm_import(*, file_id: int, actor: str) -> bool:
    """Let a checked file be imported, or a stopped one go on, in the name of who confirms.

    False when it is in another state.
    """
    may_begin = ImportFile.objects.filter(id=file_id, state__in=[ImportState.CHECKED, ImportState.STOPPED])
    return bool(
        may_begin.update(
            state=ImportState.WAITING, actor=actor, lines_read=0, bytes_read=0, attempts=0, finished_at=None
        )
    )


def stop_import(*, file_id: int, now: datetime) -> ImportState | None:
    """Stop the work on a file, whether a worker is at it or not; return its new state, None when no work was due.

    A file that was being checked is discarded. Of one that was being imported stays what is recorded, and
    `confirm_import` lets it go on. A worker notices after its batch.
    """
    with transaction.atomic():
        mine = ImportFile.objects.filter(id=file_id)
        if mine.filter(state=ImportState.WAITING).update(
            state=ImportState.STOPPED, claimed_at=None, finished_at=now
        ):
            return ImportState.STOPPED
        if _drop(file_id, states=[ImportState.CHECKING], now=now):
            return ImportState.DISCARDED
    return None


def discard_import(*, file_id: int, now: datetime) -> bool:
    """Drop a checked or refused file and its content; false when it is in another state."""
    with transaction.atomic():
        return _drop(file_id, states=[ImportState.CHECKED, ImportState.REFUSED], now=now)


def _drop(file_id: int, *, states: list[ImportState], now: datetime) -> bool:
    dropped = ImportFile.objects.filter(id=file_id, state__in=states).update(
        state=ImportState.DISCARDED, claimed_at=None, finished_at=now
    )
    if dropped:
        ImportChunk.objects.filter(import_file_id=file_id).delete()
    return bool(dropped)


def abandoned_imports(*, now: datetime) -> tuple[int, ...]:
    """Numbers of the files that wait for work and that no worker is at work on, oldest first."""
    return tuple(_claimable(now).order_by("uploaded_at").values_list("id", flat=True)[:MAX_SWEPT])


def job_name(*, file_id: int) -> str:
    """Return the name of the job that does the next work on a file, the same for everybody who asks for it."""
    file = ImportFile.objects.only("state", "claims").get(id=file_id)
    return f"import-{file_id}-{file.state}-{file.claims}"


class _ClaimLost(Exception):
    """Somebody stopped the work, or another worker has taken it over."""


class _Claim:
    """A worker's hold on a file: it lasts as long as what the worker wrote stands in the row."""

    def __init__(self, file_id: int, *, clock: Callable[[], datetime]) -> None:
        self._file_id = file_id
        self._clock = clock
        self._claimed_at = clock()
        self._records = False

    def take(self) -> ImportFile | None:
        """Return the file; None when nothing is to be done, or somebody is at work on it."""
        waiting = _claimable(self._claimed_at).filter(id=self._file_id)
        if not waiting.update(claimed_at=self._claimed_at, attempts=F("attempts") + 1, claims=F("claims") + 1):
            return None
        file = ImportFile.objects.get(id=self._file_id)
        self._records = file.state == ImportState.WAITING
        return file

    def show_life(self, progress: ImportProgress) -> None:
        """Raises _ClaimLost."""
        before, self._claimed_at = self._claimed_at, self._clock()
        counts = {
            "lines_read": progress.read,
            "bytes_read": progress.read_bytes,
            "bytes_total": progress.total_bytes,
            "recorded": progress.recorded if self._records else 0,
        }
        if not self._mine(before).update(claimed_at=self._claimed_at, **counts):
            # What the batch at hand has recorded is to be told to whoever stopped the import meanwhile.
            stopped = ImportFile.objects.filter(id=self._file_id, state=ImportState.STOPPED)
            stopped.update(**counts)
            raise _ClaimLost

    def let_go(self, *, failed: bool) -> None:
        """Leave the file to whoever comes next, at once.

        Args:
            failed: by itself, and not because the worker was ended.
        """
        self._mine(self._claimed_at).update(claimed_at=None, attempts=F("attempts") - (0 if failed else 1))

    def settle(self, *, state: ImportState, **result: Any) -> str:
        now = self._clock()
        finished_at = None if state == ImportState.CHECKED else now
        settled = self._mine(self._claimed_at).update(
            state=state, claimed_at=None, finished_at=finished_at, **result
        )
        return state.value if settled else LOST

    def _mine(self, claimed_at: datetime) -> QuerySet[ImportFile]:
        return ImportFile.objects.filter(id=self._file_id, state__in=AT_WORK, claimed_at=claimed_at)


def run_import(*, file_id: int, clock: Callable[[], datetime]) -> str:
    """Check or import a file, whichever is its turn, and return its state afterwards.

    Two workers may race; one wins, and the other finds nothing to do. A worker that is ended lets go of the file,
    and one that dies is followed by another after LEASE; what it recorded is recognised then.
    """
    claim = _Claim(file_id, clock=clock)
    file = claim.take()
    if file is None:
        return "nothing to do"
    if file.attempts > MAX_ATTEMPTS:
        reason = f"broke off {MAX_ATTEMPTS} times, see the worker's log; some lines may have been recorded"
        return claim.settle(state=ImportState.REFUSED, reason=reason)
    checking = file.state == ImportState.CHECKING
    try:
        with _content(file) as stream:
            report = import_events(
                company=company_ref(company_id=file.company_id),
                stream=stream,
                actor=file.actor,
                now=clock(),
                format_name=file.format,
                account=file.account or None,
                choices=choices_from_json(file.choices),
                dry_run=checking,
                came_by=CameBy(import_file_id=file.id),
                on_progress=claim.show_life,
            )
    except FileRefused as error:
        return claim.settle(state=ImportState.REFUSED, reason=str(error))
    except _ClaimLost:
        return LOST
    except BaseException as error:
        # The database may be back in a moment, and a worker that is ended has a successor.
        with suppress(DatabaseError):
            claim.let_go(failed=isinstance(error, Exception))
        raise
    if checking:
        return claim.settle(state=ImportState.CHECKED, preview=_kept(report))
    return claim.settle(state=ImportState.DONE, report=_kept(report), recorded=report.recorded)


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
