"""The cloud bills of one file, on their way from its lines into the report."""

from collections.abc import Callable, Sequence
from datetime import datetime

from ledger.domain.cloud_bill import BillLine, BillRefused
from ledger.importers.row import FileRefused, RowProblem
from ledger.services.cloud_bills import BillIntake, ImportedBill
from ledger.services.import_report import BillFound, ImportReport
from ledger.services.provenance import CameBy


class FileBills:
    """Make it for every file; one without bills has none to finish."""

    def __init__(
        self,
        *,
        company_id: int,
        format_name: str,
        account: str | None,
        actor: str,
        now: datetime,
        came_by: CameBy | None,
    ) -> None:
        self._intake = BillIntake(
            company_id=company_id,
            format_name=format_name,
            account=account,
            actor=actor,
            now=now,
            came_by=came_by,
        )
        self._any = False

    def take(self, lines: Sequence[BillLine]) -> None:
        """Raises FileRefused when the lines of a bill contradict each other."""
        if not lines:
            return
        self._any = True
        try:
            self._intake.take(lines)
        except BillRefused as error:
            raise FileRefused(str(error)) from None

    def finish(self, report: ImportReport, *, dry_run: bool, before_each: Callable[[], None]) -> None:
        """Put the bills into force and say so in the report.

        Args:
            before_each: as for `ledger.services.cloud_bills.BillIntake.finish`.

        Raises:
            FileRefused: a line is not readable (without it a total would be wrong unseen), or the journal does not
                take an event.
        """
        if not self._any:
            return
        if report.rejected_lines:
            first = report.rejected[0]
            raise FileRefused(
                f"a bill is imported whole or not at all, and {report.rejected_lines} of {report.read} lines "
                f"cannot be read, the first being line {first.line}: {first.field} {first.message}"
            )
        try:
            bills = self._intake.finish(dry_run=dry_run, before_each=before_each)
        except BillRefused as error:
            raise FileRefused(str(error)) from None
        for bill in bills:
            report.recorded += bill.lines - bill.known_lines
            report.duplicates += bill.known_lines
            report.bills.append(_found(bill))
            _review(bill, report)

    def abandon(self) -> None:
        """Clear away what was taken and not finished."""
        self._intake.abandon()


def _found(bill: ImportedBill) -> BillFound:
    return BillFound(
        bill=str(bill.key),
        currency=bill.currency,
        lines=bill.lines,
        billed=f"{bill.billed:f}",
        recorded=bill.recorded,
        reversed=bill.reversed,
        unchanged=bill.unchanged,
        changes=bill.changes,
    )


def _review(bill: ImportedBill, report: ImportReport) -> None:
    if bill.shrunk_from is None:
        return
    report.needs_review += 1
    message = (
        f"{bill.key} has {bill.lines} lines and had {bill.shrunk_from}: a bill that is delivered in "
        "several files is imported as one, one file after the other"
    )
    report.list_problems("review", (RowProblem(line=bill.first_line, field="bill", message=message),))
