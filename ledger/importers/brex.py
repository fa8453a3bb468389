"""Brex: the transactions of the company's cards; what was spent is positive, payments to Brex are negative."""

from collections.abc import Iterator
from typing import BinaryIO

from ledger.importers.bank_entry import BankEntry, entry_row
from ledger.importers.csv_amounts import InvalidNumber, read_number
from ledger.importers.csv_dates import InvalidMoment, read_moment
from ledger.importers.csv_preset import Cells, Preset
from ledger.importers.importer import ImportContext, Importer
from ledger.importers.row import BadRow, Found, RowProblem, bad_row, left_out

NAME = "brex"
ACCOUNT = "card-brex"
PRESET = Preset(
    required=("Posted Date", "Merchant", "Amount", "Card Last Four"),
    known=("Transaction Date", "Memo", "Category", "Status", "Transaction ID", "Currency", "Cardholder", "Type"),
)
NOT_BOOKED = frozenset({"pending", "declined", "canceled", "cancelled", "failed"})
PAYMENTS = frozenset({"payment", "collection", "statement payment", "brex payment"})


def rows(stream: BinaryIO, context: ImportContext) -> Iterator[Found]:
    table = PRESET.open(stream)
    return (_row(cells, context) for cells in table.cells())


def _row(cells: Cells, context: ImportContext) -> Found:
    if cells.problem:
        return bad_row(line=cells.line, field="line", message=cells.problem)
    status = cells["Status"].lower()
    if status in NOT_BOOKED or not cells["Posted Date"]:
        message = f"is {status}: nothing is booked" if status else "is empty: nothing is booked"
        return left_out(line=cells.line, field="Status" if status else "Posted Date", message=message)
    problems: list[RowProblem] = []
    spent = at = None
    try:
        spent = read_number(cells["Amount"], decimal_mark=".")
    except InvalidNumber as error:
        problems.append(RowProblem(cells.line, "Amount", str(error)))
    try:
        at = read_moment(cells["Posted Date"], order="mdy", timezone=context.choices.timezone or context.timezone)
    except InvalidMoment as error:
        problems.append(RowProblem(cells.line, "Posted Date", str(error)))
    if spent is None or at is None:
        return BadRow(line=cells.line, problems=tuple(problems))
    paid = cells["Type"].lower() in PAYMENTS or cells["Category"].lower() in PAYMENTS
    return entry_row(
        BankEntry(
            line=cells.line,
            account=context.account or ACCOUNT,
            amount=-spent,
            currency=cells["Currency"].upper() or "USD",
            occurred_at=at,
            reference=cells["Transaction ID"],
            counterparty=cells["Merchant"],
            category=cells["Category"],
            own_transfer=paid,
            # Money that comes onto a card is a refund when it is no payment of the bill; never income.
            returns=not paid and spent < 0,
            metadata={
                "description": cells["Memo"],
                "card": cells["Card Last Four"],
                "transaction_date": cells["Transaction Date"],
            },
        ),
        source=context.choices.source or NAME,
    )


IMPORTER = Importer(
    name=NAME, label="Brex card transactions", specificity=30, recognises=PRESET.recognises, rows=rows
)
