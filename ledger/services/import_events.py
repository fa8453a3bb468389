"""Importing a file of events: read, validate, record in batches, and say what became of every line."""

from collections.abc import Callable
from datetime import datetime
from itertools import batched
from typing import BinaryIO

from ledger.domain.company import CompanyRef
from ledger.importers.csv_mapping import CsvChoices
from ledger.importers.line_memory import line_memory
from ledger.importers.registry import AUTO
from ledger.importers.source import plain_stream, watched
from ledger.selectors.books import read_books
from ledger.services.file_balances import FileBalances
from ledger.services.file_bills import FileBills
from ledger.services.file_reading import file_reading, import_context
from ledger.services.import_checkpoint import file_digest
from ledger.services.import_report import ImportProgress, ImportReport
from ledger.services.import_run import LINES_PER_BATCH, ImportRun
from ledger.services.provenance import CameBy
from ledger.services.saved_mappings import keep_mapping


def import_events(
    *,
    company: CompanyRef,
    stream: BinaryIO,
    actor: str,
    now: datetime,
    format_name: str = AUTO,
    account: str | None = None,
    choices: CsvChoices | None = None,
    mapping: str | None = None,
    save_mapping_as: str | None = None,
    dry_run: bool = False,
    on_progress: Callable[[ImportProgress], None] | None = None,
    came_by: CameBy | None = None,
) -> ImportReport:
    """Record the events of a file, plain or gzip, batch by batch; memory does not grow with the file.

    Importing the same file again records nothing twice. An import that broke off goes on after the last batch that
    was recorded when it is repeated: what was done before is read again and not recorded again, and the report is
    that of both together.

    Balances that the file states are kept when everything else is recorded.

    Args:
        format_name: name of an importer, or `auto` to judge by the content.
        account: for lines that name none, and for the account that a bank's file is about; made when the company
            has none of that name.
        choices: what the file does not say about itself, for CSV.
        mapping: name of the saved mapping to read a CSV by; None applies one by the header where nothing is said.
        save_mapping_as: keep the choices under this name for every file with the same header.
        dry_run: do everything and roll back; the report is that of a real run.
        came_by: the kept file, for those that are.

    Raises:
        FileRefused: the file is not what it says, or nothing in it can be read; nothing is recorded then.
    """
    with plain_stream(stream) as unpacked, line_memory() as memory:
        # From the first byte on, whoever waits learns that something happens.
        watch = _Watch(on_progress)
        plain = watched(unpacked, on_read=watch.tell)
        read_by = file_reading(
            company_id=company.id,
            plain=plain,
            format_name=format_name,
            choices=choices or CsvChoices(),
            account=account,
            mapping=mapping,
        )
        importer, how = read_by.importer, read_by.how
        if save_mapping_as is not None and not dry_run:
            keep_mapping(
                company_id=company.id,
                name=save_mapping_as,
                stream=plain,
                format_name=importer.name,
                how=how,
                actor=actor,
                now=now,
            )
        context = import_context(company=company, how=how)
        digest = b""
        # A bill is one whole: after a break it is read again from its beginning.
        if not dry_run and not importer.bills:
            digest = file_digest(plain, settings=(importer.name, how.account), choices=how.choices)
        books = read_books(company_id=company.id)
        bills = FileBills(
            company_id=company.id,
            format_name=importer.name,
            account=how.account,
            actor=actor,
            now=now,
            came_by=came_by,
        )
        run = ImportRun(
            company=company,
            default_account=how.account or books.default_account or "",
            accounts=set(books.accounts),
            actor=actor,
            now=now,
            dry_run=dry_run,
            digest=digest,
            memory=memory,
            context=context,
            balances=FileBalances(company=company, origin=importer.name),
            bills=bills,
            report=ImportReport(format=importer.name, mapping=how.mapping),
            came_by=came_by,
        )
        run.resume()
        watch.follow(run, plain, passes=importer.passes)
        try:
            for batch in batched(importer.rows(plain, context), LINES_PER_BATCH):
                run.take(batch)
                watch.tell()
            return run.finished(before_each_bill=watch.tell)
        except BaseException:
            bills.abandon()
            raise


class _Watch:
    """Tells how far an import is; what is read before its first batch counts as the first of several readings."""

    def __init__(self, on_progress: Callable[[ImportProgress], None] | None) -> None:
        self._on_progress = on_progress
        self._run: ImportRun | None = None
        self._plain: BinaryIO | None = None
        self._passes = 1
        self._file_bytes = 0

    def follow(self, run: ImportRun, plain: BinaryIO, *, passes: int) -> None:
        """From here on the file is read for good; the stream is put to its beginning."""
        self._file_bytes = plain.seek(0, 2)
        plain.seek(0)
        self._run, self._plain, self._passes = run, plain, passes

    def tell(self) -> None:
        if self._on_progress is None:
            return
        if self._run is None or self._plain is None:
            self._on_progress(ImportProgress(read=0, read_bytes=0, total_bytes=0))
            return
        position = min(self._plain.tell(), self._file_bytes)
        if self._run.found:
            read_bytes = (self._passes - 1) * self._file_bytes + position
        else:
            # A look at the encoding is no progress.
            read_bytes = position if self._passes > 1 else 0
        self._on_progress(self._run.progress(read_bytes, self._passes * self._file_bytes))
