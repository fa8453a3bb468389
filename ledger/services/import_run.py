"""One import under way: what was found in a file, batch by batch, becomes events and a report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ledger.domain.cloud_bill import BillLine
from ledger.domain.company import CompanyRef
from ledger.domain.event import EventDraft, parse_event
from ledger.domain.outcome import CONFLICT, DUPLICATE, RECORDED, REJECTED, Outcome
from ledger.domain.problems import FieldProblem, InvalidEvent
from ledger.importers.importer import ImportContext
from ledger.importers.line_memory import LineMemory
from ledger.importers.row import BadRow, FileRefused, Found, LeftOut, Row, RowProblem, StatedRow
from ledger.services.account_numbers import learn_numbers
from ledger.services.file_balances import FileBalances
from ledger.services.file_bills import FileBills
from ledger.services.import_checkpoint import forget_checkpoint, keep_checkpoint, reached
from ledger.services.import_report import SAMPLE_EVENTS, ImportProgress, ImportReport
from ledger.services.provenance import CameBy
from ledger.services.record import record

LINES_PER_BATCH = 5_000


@dataclass(slots=True)
class ImportRun:
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
    bills: FileBills
    report: ImportReport
    came_by: CameBy | None = None
    found: int = 0
    skipping: int = 0
    line: int = 0
    any_readable: bool = False

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
        self.bills.take([row for row in batch if isinstance(row, BillLine)])
        readable: list[Row] = []
        drafts: list[EventDraft] = []
        for row in batch:
            if isinstance(row, BillLine):
                self.any_readable = True
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
        if self.dry_run:
            outcomes = self._held_to_earlier_lines(drafts, outcomes)
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

    def finished(self, *, before_each_bill: Callable[[], None]) -> ImportReport:
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
        self.bills.finish(report, dry_run=self.dry_run, before_each=before_each_bill)
        for account, _ in sorted(self.balances.accounts()):
            self._see_account(account)
        self.balances.settle(report, actor=self.actor, now=self.now, dry_run=self.dry_run)
        if self.digest:
            self._learn_numbers()
            forget_checkpoint(company_id=self.company.id, digest=self.digest)
        return report

    def _see_account(self, account: str) -> None:
        if account and account not in self.accounts:
            self.accounts.add(account)
            self.report.new_accounts.append(account)

    def _draft(self, row: Row) -> EventDraft:
        draft = parse_event(row.event, now=self.now)
        if draft.external_ref:
            return draft
        return replace(draft, external_ref=self.memory.reference(draft))

    def _held_to_earlier_lines(
        self, drafts: Sequence[EventDraft], outcomes: Sequence[Outcome]
    ) -> tuple[Outcome, ...]:
        """Each batch of a dry run was rolled back, so the database cannot know what an earlier one said."""
        new = [
            (draft, draft.account or self.default_account)
            for draft, outcome in zip(drafts, outcomes, strict=True)
            if outcome.status == RECORDED
        ]
        differences = iter(self.memory.other_contents(new))
        return tuple(
            _repeated(outcome, next(differences)) if outcome.status == RECORDED else outcome
            for outcome in outcomes
        )

    def _settle(self, row: Row, draft: EventDraft, outcome: Outcome) -> None:
        status, problems = outcome.status, outcome.problems
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


def _repeated(outcome: Outcome, differs: tuple[str, ...] | None) -> Outcome:
    """What becomes of an event whose object an earlier line may have stated; None says that none has."""
    if differs is None:
        return outcome
    problems = tuple(FieldProblem(name, "differs from an earlier line") for name in differs)
    return replace(outcome, status=CONFLICT if differs else DUPLICATE, problems=problems)


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
        "description": str(draft.metadata.get("description", "")) if isinstance(draft.metadata, dict) else "",
        "category": draft.category,
    }
