"""Importing a file of events: read, validate, record in batches, and say what became of every line."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
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
from ledger.importers.row import BadRow, FileRefused, Found, LeftOut, Row, RowProblem, StatedRow
from ledger.importers.signature import refuse_foreign_formats
from ledger.importers.source import MAX_PLAIN_BYTES, plain_stream
from ledger.models.account import Account, AccountKind
from ledger.selectors.books import read_books
from ledger.services.account_numbers import known_accounts, learn_numbers
from ledger.services.cloud_bills import BillIntake, BillRefused, ImportedBill
from ledger.services.file_balances import FileBalances
from ledger.services.import_checkpoint import file_digest, forget_checkpoint, keep_checkpoint, reached
from ledger.services.import_report import SAMPLE_EVENTS, ImportProgress, ImportReport
from ledger.services.provenance import CameBy
from ledger.services.record import record
from ledger.services.saved_mappings import Reading, keep_mapping, reading

AUTO = "auto"
LINES_PER_BATCH = 5_000


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
    choices = choices or CsvChoices()
    with plain_stream(stream) as plain, line_memory() as memory:
        how = reading(
            company_id=company.id,
            stream=plain,
            format_name=format_name,
            choices=choices,
            account=account,
            mapping=mapping,
            auto=AUTO,
        )
        importer = _importer(plain, how)
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
        context = _context(company, how)
        digest = b""
        # A bill is one whole: after a break it is read again from its beginning.
        if not dry_run and not importer.bills:
            digest = file_digest(plain, settings=(importer.name, how.account), choices=how.choices)
        books = read_books(company_id=company.id)
        bills = BillIntake(
            company_id=company.id,
            format_name=importer.name,
            account=how.account,
            actor=actor,
            now=now,
            came_by=came_by,
        )
        importing = _Importing(
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
        importing.resume()
        total_bytes = plain.seek(0, 2)
        plain.seek(0)
        try:
            for batch in _batches(importer.rows(plain, context)):
                importing.take(batch)
                if on_progress is not None:
                    on_progress(importing.progress(min(plain.tell(), total_bytes), total_bytes))
            return importing.finished()
        except BaseException:
            bills.abandon()
            raise


@dataclass(frozen=True, slots=True)
class Inspected:
    """How a file will be read.

    Attributes:
        format: name of the importer.
    """

    format: str
    reading: Reading


def inspect_file(
    *,
    company_id: int,
    stream: BinaryIO,
    format_name: str = AUTO,
    choices: CsvChoices | None = None,
    account: str | None = None,
    max_plain_bytes: int = MAX_PLAIN_BYTES,
) -> Inspected:
    """Return how a file would be read, having unpacked it to its end.

    Raises:
        FileRefused: the file is not what it says, or too large.
    """
    with plain_stream(stream, max_plain_bytes=max_plain_bytes) as plain:
        how = reading(
            company_id=company_id,
            stream=plain,
            format_name=format_name,
            choices=choices or CsvChoices(),
            account=account,
            mapping=None,
            auto=AUTO,
        )
        return Inspected(format=_importer(plain, how).name, reading=how)


def _importer(plain: BinaryIO, how: Reading) -> Importer:
    """The importer that is asked for, or that fits; the stream stays at its beginning."""
    format_name = how.format_name
    if format_name == AUTO and how.choices.columns:
        # Only this format has columns to be named, and without the names its header says nothing.
        format_name = bank_csv.IMPORTER.name
    if format_name == AUTO:
        return detect(plain)
    importer = importer_named(format_name)
    refuse_foreign_formats(plain.read(HEAD_BYTES), markup=importer.is_markup)
    plain.seek(0)
    return importer


def _context(company: CompanyRef, how: Reading) -> ImportContext:
    accounts = Account.objects.filter(company_id=company.id)
    accounts = accounts.filter(name=how.account) if how.account else accounts.filter(kind=AccountKind.BANK)
    known = accounts.order_by("id").values_list("currency", "timezone").first()
    currency, timezone = known or (company.base_currency, company.timezone)
    return ImportContext(
        account=how.account,
        currency=currency,
        timezone=ZoneInfo(timezone),
        choices=how.choices,
        known_accounts=known_accounts(company_id=company.id),
    )


def _batches(rows: Iterator[Found]) -> Iterator[list[Found]]:
    batch: list[Found] = []
    for row in rows:
        batch.append(row)
        if len(batch) == LINES_PER_BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


@dataclass(slots=True)
class _Importing:
    """One import under way.

    Attributes:
        accounts: names of the accounts that are there.
        digest: of the file and how it is read; empty in a dry run, which leaves no checkpoint.
        found: how many things the file has yielded so far.
        skipping: how many of them an earlier run has done.
    """

    company: CompanyRef
    default_account: str
    accounts: set[str]
    actor: str
    now: datetime
    dry_run: bool
    digest: bytes
    memory: LineMemory
    context: ImportContext
    balances: FileBalances
    bills: BillIntake
    report: ImportReport
    came_by: CameBy | None = None
    found: int = 0
    skipping: int = 0
    line: int = 0
    any_readable: bool = False
    any_bill: bool = False

    def resume(self) -> None:
        """Go on where an earlier import of the same file broke off, if one did."""
        if not self.digest:
            return
        kept = reached(company_id=self.company.id, digest=self.digest)
        if kept is not None:
            self.skipping, self.report = kept
            self.report.resumed_after = self.report.read
            self.any_readable = True

    def progress(self, read_bytes: int, total_bytes: int) -> ImportProgress:
        report = self.report
        return ImportProgress(
            read=report.read,
            read_bytes=read_bytes,
            total_bytes=total_bytes,
            recorded=report.recorded,
            line=self.line,
            resumed=report.resumed_after,
        )

    def take(self, batch: Sequence[Found]) -> None:
        self.line = batch[-1].line
        done = min(max(self.skipping - self.found, 0), len(batch))
        self.found += len(batch)
        for row in batch[:done]:
            self._pass_over(row)
        if done < len(batch):
            self._record(batch[done:])

    def _pass_over(self, row: Found) -> None:
        """Keep in mind what later lines are compared with; everything else about the line is done."""
        if isinstance(row, StatedRow):
            self.balances.take(row)
        elif isinstance(row, Row) and not row.event.get("external_ref"):
            try:
                self._draft(row)
            except InvalidEvent:
                return

    def _record(self, batch: Sequence[Found]) -> None:
        self._take_bill_lines([row for row in batch if isinstance(row, BillLine)])
        readable: list[Row] = []
        drafts: list[EventDraft] = []
        for row in batch:
            if isinstance(row, BillLine):
                self.report.read += 1
                continue
            if isinstance(row, StatedRow):
                self._take_balance(row)
                continue
            if isinstance(row, LeftOut):
                self.any_readable = True
                self.report.left_out_lines += 1
                self.report.list_problems("left_out", (row.problem,))
                continue
            self.report.read += 1
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
        outcomes = record(
            company_id=self.company.id,
            drafts=drafts,
            actor=self.actor,
            now=self.now,
            create_accounts=True,
            dry_run=self.dry_run,
            came_by=self.came_by,
        )
        for row, draft, outcome in zip(readable, drafts, outcomes, strict=True):
            self._settle(row, draft, outcome)
        if self.digest:
            self._learn_numbers()
            if self.found >= LINES_PER_BATCH:
                keep_checkpoint(
                    company_id=self.company.id,
                    digest=self.digest,
                    done=self.found,
                    report=self.report,
                    now=self.now,
                )

    def _take_balance(self, row: StatedRow) -> None:
        problems = self.balances.take(row)
        if problems:
            self.report.read += 1
            self._reject(problems)
            return
        self.any_readable = True
        if row.review:
            self.report.needs_review += 1
            self.report.list_problems("review", row.review)

    def _learn_numbers(self) -> None:
        numbers = self.context.accounts.numbers()
        if numbers:
            learn_numbers(
                company_id=self.company.id,
                numbers=numbers,
                endings=self.context.accounts.endings(),
                now=self.now,
            )

    def finished(self) -> ImportReport:
        """Raises FileRefused when nothing could be read, which also means that nothing was recorded."""
        report = self.report
        if not self.any_readable:
            if not report.read:
                raise FileRefused("there are no events in the file")
            first = report.rejected[0]
            lines = "its only line" if report.read == 1 else f"none of its {report.read} lines"
            verb = "cannot" if report.read == 1 else "can"
            raise FileRefused(
                f"{lines} {verb} be read as {report.format}: line {first.line}: {first.field} {first.message}"
            )
        if self.any_bill:
            self._finish_bills()
        for account, _ in sorted(self.balances.accounts()):
            self._see_account(account)
        self.balances.settle(report, actor=self.actor, now=self.now, dry_run=self.dry_run)
        if self.digest:
            self._learn_numbers()
            forget_checkpoint(company_id=self.company.id, digest=self.digest)
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
            problem = RowProblem(line=bill.first_line, field="bill", message=message)
            self.report.list_problems("review", (problem,))

    def _see_account(self, account: str) -> None:
        if account and account not in self.accounts:
            self.accounts.add(account)
            self.report.new_accounts.append(account)

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
            account = draft.account or self.default_account
            self._see_account(account)
            if self.dry_run:
                self.balances.would_move(draft, account=account, now=self.now)
            if len(self.report.sample) < SAMPLE_EVENTS:
                self.report.sample.append(_shown(row, draft, account))
            self._review(row, draft)
        elif status == DUPLICATE:
            self.report.duplicates += 1
        elif status == CONFLICT:
            self.report.conflicts += 1
            self.report.list_problems("conflicting", _at(row.line, problems))
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
            self.report.list_problems("review", review)

    def _reject(self, problems: Sequence[RowProblem]) -> None:
        self.report.rejected_lines += 1
        self.report.list_problems("rejected", problems)


def _at(line: int, problems: Sequence[FieldProblem]) -> tuple[RowProblem, ...]:
    return tuple(
        RowProblem(line=line, field=problem.field or "line", message=problem.message) for problem in problems
    )


def _shown(row: Row, draft: EventDraft, account: str) -> dict[str, Any]:
    """An event as the preview shows it."""
    return {
        "line": row.line,
        "occurred_at": draft.occurred_at.isoformat() if draft.occurred_at is not None else "",
        "event_type": draft.event_type,
        "direction": draft.flow,
        "amount": f"{draft.amount:f}",
        "currency": draft.currency,
        "account": account,
        "counterparty": draft.counterparty,
        "category": draft.category,
    }
