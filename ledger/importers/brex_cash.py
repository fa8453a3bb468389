"""Brex: the bookings of its cash accounts, signed as a bank does, as public importers read them. No ids."""

from collections.abc import Iterator
from typing import BinaryIO

from ledger.importers.bank_entry import BankEntry, entry_row
from ledger.importers.csv_amounts import InvalidNumber, read_number
from ledger.importers.csv_dates import InvalidMoment, read_moment
from ledger.importers.csv_preset import Cells, Preset
from ledger.importers.importer import ImportContext, Importer
from ledger.importers.row import BadRow, Found, RowProblem, bad_row, left_out

NAME = "brex-cash"
PRESET = Preset(
    required=("Date", "To/From", "Amount", "Status", "Account Number Last Four"), known=("Memo", "Balance")
)
BOOKED = frozenset({"posted", "completed", "settled"})


def rows(stream: BinaryIO, context: ImportContext) -> Iterator[Found]:
    table = PRESET.open(stream)
    # Reads the accounts first: a stated account that would mix two of them refuses the file as a whole.
    for cells in table.cells():
        if not cells.problem and cells["Account Number Last Four"]:
            _account(cells, context)
    return (_row(cells, context) for cells in table.cells())


def _account(cells: Cells, context: ImportContext) -> str:
    return context.accounts.of(f"brex {cells['Account Number Last Four']}").name


def _row(cells: Cells, context: ImportContext) -> Found:
    if cells.problem:
        return bad_row(line=cells.line, field="line", message=cells.problem)
    status = cells["Status"].lower()
    if status not in BOOKED:
        return left_out(line=cells.line, field="Status", message=f"is {status or 'empty'}: no money moved")
    problems: list[RowProblem] = []
    amount = at = None
    try:
        amount = read_number(cells["Amount"], decimal_mark=".")
    except InvalidNumber as error:
        problems.append(RowProblem(cells.line, "Amount", str(error)))
    try:
        at = read_moment(cells["Date"], order="mdy", timezone=context.choices.timezone or context.timezone)
    except InvalidMoment as error:
        problems.append(RowProblem(cells.line, "Date", str(error)))
    if not cells["Account Number Last Four"]:
        problems.append(RowProblem(cells.line, "Account Number Last Four", "is empty"))
    if problems or amount is None or at is None:
        return BadRow(line=cells.line, problems=tuple(problems))
    return entry_row(
        BankEntry(
            line=cells.line,
            account=_account(cells, context),
            amount=amount,
            currency="USD",
            occurred_at=at,
            counterparty=cells["To/From"],
            metadata={"description": cells["Memo"]},
        ),
        source=context.choices.source or NAME,
    )


IMPORTER = Importer(name=NAME, label="Brex cash account", specificity=30, recognises=PRESET.recognises, rows=rows)
