"""Importing a file of events: read, validate, record in batches, and say what became of every line."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from ledger.domain.cloud_bill import BillLine
from ledger.domain.company import CompanyRef
from ledger.domain.event import EventDraft, parse_event
from ledger.domain.outcome import CONFLICT, DUPLICATE, RECORDED, REJECTED, Outcome
from ledger.domain.problems import FieldProblem, InvalidEvent
from ledger.importers import bank_csv
from ledger.importers.csv_mapping import CsvChoices
from ledger.importers.importer import HEAD_BYTES, ImportContext, Importer
from ledger.importers.line_memory import LineMemory, line_memory
from ledger.importers.registry import detect, importer_named
from ledger.importers.row import BadRow, FileRefused, Row, RowProblem
from ledger.importers.signature import refuse_foreign_formats
from ledger.importers.source import MAX_PLAIN_BYTES, plain_stream
from ledger.models.account import Account, AccountKind
from ledger.selectors.books import read_books
from ledger.services.cloud_bills import BillIntake, BillRefused, ImportedBill
from ledger.services.record import record

AUTO = "auto"
LINES_PER_BATCH = 5_000
# A report that lists more is of no use to anybody; the counts stay exact.
MAX_LISTED_PROBLEMS = 100_000


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """How far an import is, between two batches."""

    read: int
    read_bytes: int
    total_bytes: int


@dataclass(slots=True)
class ImportReport:
    """What became of the lines of a file. `read` is the sum of the four counts after it.

    Attributes:
        format: name of the importer that read the file.
        rejected_lines: lines that were not recorded because something is wrong with them.
        rejected: the problems of those lines, a line may have several; cut off at MAX_LISTED_PROBLEMS.
        conflicting: what differs in lines whose external object is recorded with other content.
        review: what a person should look at in lines that were recorded all the same.
    """

    format: str
    read: int = 0
    recorded: int = 0
    duplicates: int = 0
    conflicts: int = 0
    rejected_lines: int = 0
    needs_review: int = 0
    rejected: list[RowProblem] = field(default_factory=list)
    conflicting: list[RowProblem] = field(default_factory=list)
    review: list[RowProblem] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def import_events(
    *,
    company: CompanyRef,
    stream: BinaryIO,
    actor: str,
    now: datetime,
    format_name: str = AUTO,
    account: str | None = None,
    choices: CsvChoices | None = None,
    dry_run: bool = False,
    on_progress: Callable[[ImportProgress], None] | None = None,
) -> ImportReport:
    """Record the events of a file, plain or gzip, batch by batch; memory does not grow with the file.

    Importing the same file again records nothing twice, so an import that broke off is finished by repeating it.

    Args:
        format_name: name of an importer, or `auto` to judge by the content.
        account: for lines that name none; made when the company has none of that name.
        choices: what the file does not say about itself, for CSV.
        dry_run: do everything and roll back; the report is that of a real run.

    Raises:
        FileRefused: the file is not what it says, or none of its lines can be read; nothing is recorded then.
    """
    choices = choices or CsvChoices()
    context = _context(company, account, choices)
    with _opened(stream, format_name, choices) as (plain, importer), line_memory() as memory:
        bills = BillIntake(company_id=company.id, format_name=importer.name, account=account, actor=actor, now=now)
        total_bytes = plain.seek(0, 2)
        plain.seek(0)
        importing = _Importing(
            company_id=company.id,
            default_account=account or read_books(company_id=company.id).default_account or "",
            actor=actor,
            now=now,
            dry_run=dry_run,
            memory=memory,
            report=ImportReport(format=importer.name),
            bills=bills,
        )
        try:
            for batch in _batches(importer.rows(plain, context)):
                importing.take(batch)
                if on_progress is not None:
                    on_progress(ImportProgress(importing.report.read, min(plain.tell(), total_bytes), total_bytes))
            return importing.finished()
        except BaseException:
            bills.abandon()
            raise


def inspect_file(
    *,
    stream: BinaryIO,
    format_name: str = AUTO,
    choices: CsvChoices | None = None,
    max_plain_bytes: int = MAX_PLAIN_BYTES,
) -> str:
    """Return the name of the importer that would read a file, having unpacked it to its end.

    Raises:
        FileRefused: the file is not what it says, or too large.
    """
    with _opened(stream, format_name, choices or CsvChoices(), max_plain_bytes) as (_, importer):
        return importer.name


@contextmanager
def _opened(
    stream: BinaryIO, format_name: str, choices: CsvChoices, max_plain_bytes: int = MAX_PLAIN_BYTES
) -> Iterator[tuple[BinaryIO, Importer]]:
    with plain_stream(stream, max_plain_bytes=max_plain_bytes) as plain:
        if format_name == AUTO and choices.columns:
            # Only this format has columns to be named, and without the names its header says nothing.
            format_name = bank_csv.IMPORTER.name
        if format_name == AUTO:
            importer = detect(plain)
        else:
            importer = importer_named(format_name)
            refuse_foreign_formats(plain.read(HEAD_BYTES))
            plain.seek(0)
        yield plain, importer


def _context(company: CompanyRef, account: str | None, choices: CsvChoices) -> ImportContext:
    accounts = Account.objects.filter(company_id=company.id)
    accounts = accounts.filter(name=account) if account else accounts.filter(kind=AccountKind.BANK)
    known = accounts.order_by("id").values_list("currency", "timezone").first()
    currency, timezone = known or (company.base_currency, company.timezone)
    return ImportContext(account=account, currency=currency, timezone=ZoneInfo(timezone), choices=choices)


def _batches(rows: Iterator[Row | BadRow | BillLine]) -> Iterator[list[Row | BadRow | BillLine]]:
    batch: list[Row | BadRow | BillLine] = []
    for row in rows:
        batch.append(row)
        if len(batch) == LINES_PER_BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


@dataclass(slots=True)
class _Importing:
    """One import under way."""

    company_id: int
    default_account: str
    actor: str
    now: datetime
    dry_run: bool
    memory: LineMemory
    report: ImportReport
    bills: BillIntake
    any_readable: bool = False
    any_bill: bool = False

    def take(self, batch: Sequence[Row | BadRow | BillLine]) -> None:
        self._take_bill_lines([row for row in batch if isinstance(row, BillLine)])
        readable: list[Row] = []
        drafts: list[EventDraft] = []
        for row in batch:
            if isinstance(row, BillLine):
                continue
            if isinstance(row, BadRow):
                self._reject(row.problems)
                continue
            self.any_readable = True
            try:
                draft = self._draft(row)
            except InvalidEvent as error:
                self._reject(_at(row.line, error.errors))
                continue
            readable.append(row)
            drafts.append(draft)
        self.report.read += len(batch)
        outcomes = record(
            company_id=self.company_id,
            drafts=drafts,
            actor=self.actor,
            now=self.now,
            create_accounts=True,
            dry_run=self.dry_run,
        )
        for row, draft, outcome in zip(readable, drafts, outcomes, strict=True):
            self._settle(row, draft, outcome)

    def finished(self) -> ImportReport:
        """Raises FileRefused when no line could be read, which also means that nothing was recorded."""
        report = self.report
        if not report.read:
            raise FileRefused("there are no events in the file")
        if not self.any_readable:
            first = report.rejected[0]
            lines = "its only line" if report.read == 1 else f"none of its {report.read} lines"
            verb = "cannot" if report.read == 1 else "can"
            raise FileRefused(
                f"{lines} {verb} be read as {report.format}: line {first.line}: {first.field} {first.message}"
            )
        if self.any_bill:
            self._finish_bills()
        return report

    def _take_bill_lines(self, lines: Sequence[BillLine]) -> None:
        if not lines:
            return
        self.any_readable = self.any_bill = True
        try:
            self.bills.take(lines)
        except BillRefused as error:
            raise FileRefused(str(error)) from None

    def _finish_bills(self) -> None:
        """Raises FileRefused when a line is not readable: without it a total would be wrong unseen."""
        report = self.report
        if report.rejected_lines:
            first = report.rejected[0]
            raise FileRefused(
                f"a bill is imported whole or not at all, and {report.rejected_lines} of {report.read} lines "
                f"cannot be read, the first being line {first.line}: {first.field} {first.message}"
            )
        try:
            bills = self.bills.finish(dry_run=self.dry_run)
        except BillRefused as error:
            raise FileRefused(str(error)) from None
        for bill in bills:
            report.recorded += bill.lines - bill.known_lines
            report.duplicates += bill.known_lines
            self._review_bill(bill)

    def _review_bill(self, bill: ImportedBill) -> None:
        if bill.shrunk_from is not None:
            self.report.needs_review += 1
            message = (
                f"{bill.key} has {bill.lines} lines and had {bill.shrunk_from}: a bill that is delivered in "
                "several files is imported as one, one file after the other"
            )
            _list(self.report.review, (RowProblem(line=bill.first_line, field="bill", message=message),))

    def _draft(self, row: Row) -> EventDraft:
        draft = parse_event(row.event, now=self.now)
        if draft.external_ref:
            return draft
        return dataclasses.replace(draft, external_ref=self.memory.reference(draft))

    def _settle(self, row: Row, draft: EventDraft, outcome: Outcome) -> None:
        status, problems = outcome.status, outcome.problems
        if self.dry_run and status == RECORDED:
            # Each batch was rolled back, so the database cannot know what an earlier one said.
            differs = self.memory.other_content(draft, account=draft.account or self.default_account)
            if differs is not None:
                status = CONFLICT if differs else DUPLICATE
                problems = tuple(FieldProblem(name, "differs from an earlier line") for name in differs)
        if status == RECORDED:
            self.report.recorded += 1
            self._review(row, draft)
        elif status == DUPLICATE:
            self.report.duplicates += 1
        elif status == CONFLICT:
            self.report.conflicts += 1
            _list(self.report.conflicting, _at(row.line, problems))
        elif status == REJECTED:
            self._reject(_at(row.line, problems))
        else:
            raise AssertionError(f"unknown outcome {status}")

    def _review(self, row: Row, draft: EventDraft) -> None:
        review = row.review
        if draft.occurred_at is None:
            assumed = "is missing: the time of the import is taken for it"
            review = (*review, RowProblem(line=row.line, field="occurred_at", message=assumed))
        if review:
            self.report.needs_review += 1
            _list(self.report.review, review)

    def _reject(self, problems: Sequence[RowProblem]) -> None:
        self.report.rejected_lines += 1
        _list(self.report.rejected, problems)


def _at(line: int, problems: Sequence[FieldProblem]) -> tuple[RowProblem, ...]:
    return tuple(
        RowProblem(line=line, field=problem.field or "line", message=problem.message) for problem in problems
    )


def _list(listed: list[RowProblem], problems: Sequence[RowProblem]) -> None:
    listed.extend(problems[: MAX_LISTED_PROBLEMS - len(listed)])
