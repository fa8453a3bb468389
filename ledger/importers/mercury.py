"""Mercury: the transactions of all accounts and cards of a company, in UTC, without ids.

The columns are those that public importers read; older exports name no account (`Source Account`).
"""

from collections.abc import Iterator
from typing import BinaryIO
from zoneinfo import ZoneInfo

from ledger.importers.bank_entry import BankEntry, entry_row
from ledger.importers.csv_amounts import InvalidNumber, read_number
from ledger.importers.csv_dates import InvalidMoment, read_moment
from ledger.importers.csv_preset import Cells, Preset
from ledger.importers.importer import ImportContext, Importer
from ledger.importers.row import BadRow, FileRefused, Found, RowProblem, bad_row, left_out

NAME = "mercury"
ACCOUNT = "bank-mercury"
PRESET = Preset(
    required=("Date (UTC)", "Description", "Amount", "Status", "Bank Description"),
    known=(
        "Source Account", "Reference", "Note", "Last Four Digits", "Mercury Category", "Category", "Timestamp",
        "Original Currency", "Check Number", "Tracking ID",
    ),
)  # fmt: skip
BOOKED = frozenset({"sent", "received", "posted", "completed"})
# Between the company's own accounts, as Mercury names it.
TRANSFER = frozenset({"internal transfer", "transfer between mercury accounts"})


def rows(stream: BinaryIO, context: ImportContext) -> Iterator[Found]:
    table = PRESET.open(stream)
    # Reads the accounts first: a stated account that would mix two of them refuses the file as a whole.
    for cells in table.cells():
        if not cells.problem and cells["Source Account"]:
            _account(cells, context)
    return (_row(cells, context) for cells in table.cells())


def _account(cells: Cells, context: ImportContext) -> str:
    stated = cells["Source Account"]
    if not stated:
        return context.account or ACCOUNT
    kind = "card" if "credit" in stated.lower() or " io " in f" {stated.lower()} " else "bank"
    return context.accounts.of(f"mercury {stated}", kind=kind).name


def _row(cells: Cells, context: ImportContext) -> Found:
    if cells.problem:
        return bad_row(line=cells.line, field="line", message=cells.problem)
    status = cells["Status"].lower()
    if status not in BOOKED:
        return left_out(line=cells.line, field="Status", message=f"is {status or 'empty'}: no money moved")
    problems: list[RowProblem] = []
    amount = at = account = None
    try:
        amount = read_number(cells["Amount"], decimal_mark=".")
    except InvalidNumber as error:
        problems.append(RowProblem(cells.line, "Amount", str(error)))
    try:
        # The timestamp tells the lines of a day apart; its date is the same.
        moment = cells["Timestamp"] or cells["Date (UTC)"]
        at = read_moment(moment, order="mdy", timezone=ZoneInfo("UTC"))
    except InvalidMoment as error:
        problems.append(RowProblem(cells.line, "Date (UTC)", str(error)))
    try:
        account = _account(cells, context)
    except FileRefused as error:
        problems.append(RowProblem(cells.line, "Source Account", str(error)))
    if amount is None or at is None or account is None:
        return BadRow(line=cells.line, problems=tuple(problems))
    category = cells["Category"] or cells["Mercury Category"]
    return entry_row(
        BankEntry(
            line=cells.line,
            account=account,
            amount=amount,
            currency="USD",
            occurred_at=at,
            reference=cells["Tracking ID"],
            counterparty=cells["Description"],
            category=category,
            own_transfer=category.lower() in TRANSFER or cells["Mercury Category"].lower() in TRANSFER,
            metadata={
                "description": cells["Bank Description"],
                "reference": cells["Reference"],
                "note": cells["Note"],
                "card": cells["Last Four Digits"],
                "check_number": cells["Check Number"],
                "original_currency": cells["Original Currency"] if cells["Original Currency"] != "USD" else "",
            },
        ),
        source=context.choices.source or NAME,
    )


IMPORTER = Importer(
    name=NAME, label="Mercury transactions", specificity=30, recognises=PRESET.recognises, rows=rows
)
