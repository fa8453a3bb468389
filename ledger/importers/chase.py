"""Chase: checking accounts and cards, both signed (what is spent is negative), as public importers read them.

Neither has ids. A payment of the card's bill is a transfer on the card; what else comes onto it is a refund. The
most recent lines of a checking account have no balance: they are pending, and come again under another name.
"""

from collections.abc import Iterator
from typing import BinaryIO

from ledger.importers.bank_entry import BankEntry, entry_row
from ledger.importers.csv_amounts import InvalidNumber, read_number
from ledger.importers.csv_dates import InvalidMoment, read_moment
from ledger.importers.csv_preset import Cells, Preset
from ledger.importers.importer import HEAD_BYTES, ImportContext, Importer
from ledger.importers.row import BadRow, Found, RowProblem, bad_row, left_out

NAME = "chase"
CHECKING = Preset(
    required=("Details", "Posting Date", "Description", "Amount", "Type", "Balance"), known=("Check or Slip #",)
)
CARD = Preset(
    required=("Transaction Date", "Post Date", "Description", "Category", "Type", "Amount"), known=("Card", "Memo")
)
ACCOUNTS = {"bank": "bank-chase", "card": "card-chase"}
PAID = frozenset({"payment"})


def recognises(head: bytes) -> bool:
    return CHECKING.recognises(head) or CARD.recognises(head)


def rows(stream: BinaryIO, context: ImportContext) -> Iterator[Found]:
    head = stream.read(HEAD_BYTES)
    stream.seek(0)
    card = CARD.recognises(head)
    table = (CARD if card else CHECKING).open(stream)
    return (_row(cells, context, card=card) for cells in table.cells())


def _row(cells: Cells, context: ImportContext, *, card: bool) -> Found:
    if cells.problem:
        return bad_row(line=cells.line, field="line", message=cells.problem)
    if not card and not cells["Balance"]:
        return left_out(line=cells.line, field="Balance", message="is empty: the line is pending")
    date = "Post Date" if card else "Posting Date"
    problems: list[RowProblem] = []
    amount = at = None
    try:
        amount = read_number(cells["Amount"], decimal_mark=".")
    except InvalidNumber as error:
        problems.append(RowProblem(cells.line, "Amount", str(error)))
    try:
        at = read_moment(cells[date], order="mdy", timezone=context.choices.timezone or context.timezone)
    except InvalidMoment as error:
        problems.append(RowProblem(cells.line, date, str(error)))
    if amount is None or at is None:
        return BadRow(line=cells.line, problems=tuple(problems))
    kind = cells["Type"].lower()
    paid = card and kind in PAID
    return entry_row(
        BankEntry(
            line=cells.line,
            account=context.account or ACCOUNTS["card" if card else "bank"],
            amount=amount,
            currency="USD",
            occurred_at=at,
            counterparty=cells["Description"],
            category=cells["Category"] or kind,
            own_transfer=paid,
            returns=card and amount > 0 and not paid,
            metadata={
                "description": cells["Memo"],
                "kind": kind,
                "card": cells["Card"],
                "check_number": cells["Check or Slip #"],
                "transaction_date": cells["Transaction Date"],
            },
        ),
        source=context.choices.source or NAME,
    )


IMPORTER = Importer(name=NAME, label="Chase checking or card", specificity=30, recognises=recognises, rows=rows)
