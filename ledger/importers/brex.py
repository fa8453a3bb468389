"""Brex: the transactions of the company's cards; what was spent is positive, payments to Brex are negative.

The columns are those that public importers read. They changed over the years: the export of transactions (`Swipe
Date (UTC)`, `Posted Date`, `Merchant Name`, `Last 4`, with an `Id`), and the newer one of expenses (`Transaction
date`, `Merchant`, `Payment status`), which has no ids and whose original amounts may be in another currency. The
export of Brex's cash accounts is signed the other way: see `brex_cash`.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from ledger.importers.bank_entry import BankEntry, entry_row
from ledger.importers.csv_amounts import InvalidNumber, read_number
from ledger.importers.csv_dates import InvalidMoment, read_moment
from ledger.importers.csv_preset import Cells, Preset
from ledger.importers.importer import HEAD_BYTES, ImportContext, Importer
from ledger.importers.row import BadRow, Found, RowProblem, bad_row, left_out

NAME = "brex"
ACCOUNT = "card-brex"
TRANSACTIONS = Preset(
    required=("Amount", "Merchant Name", "Last 4", "Type"),
    known=(
        "Posted Date", "Posted Date (UTC)", "Swipe Date (UTC)", "Swipe Time (UTC)", "Statement Descriptor", "Memo",
        "Brex Category", "Id",
    ),
)  # fmt: skip
EXPENSES = Preset(
    required=("Transaction date", "Amount", "Original amount", "Original currency", "Merchant", "Payment status"),
    known=("Memo", "Expense status"),
)
DATES = ("Posted Date", "Posted Date (UTC)", "Swipe Date (UTC)", "Swipe Time (UTC)", "Transaction date")
NOT_BOOKED = frozenset({"pending", "declined", "canceled", "cancelled", "failed"})
PAYMENTS = frozenset({"payment to brex", "payment", "collection"})
# Large amounts come as 1.3e3.
_SCIENTIFIC = re.compile(r"-?[0-9](?:\.[0-9]{1,12})?[eE]\+?([0-9]{1,2})")


def recognises(head: bytes) -> bool:
    return TRANSACTIONS.recognises(head) or EXPENSES.recognises(head)


def rows(stream: BinaryIO, context: ImportContext) -> Iterator[Found]:
    head = stream.read(HEAD_BYTES)
    stream.seek(0)
    table = (TRANSACTIONS if TRANSACTIONS.recognises(head) else EXPENSES).open(stream)
    return (_row(cells, context) for cells in table.cells())


def _row(cells: Cells, context: ImportContext) -> Found:
    if cells.problem:
        return bad_row(line=cells.line, field="line", message=cells.problem)
    status = cells["Payment status"].lower()
    date = next((name for name in DATES if cells[name]), "")
    if status in NOT_BOOKED:
        return left_out(line=cells.line, field="Payment status", message=f"is {status}: nothing is booked")
    if not date:
        return left_out(line=cells.line, field="Posted Date", message="is empty: nothing is booked")
    problems: list[RowProblem] = []
    spent = at = None
    try:
        spent = read_number(_plain_number(cells["Amount"]), decimal_mark=".")
    except InvalidNumber as error:
        problems.append(RowProblem(cells.line, "Amount", str(error)))
    try:
        at = read_moment(cells[date], order="mdy", timezone=context.choices.timezone or context.timezone)
    except InvalidMoment as error:
        problems.append(RowProblem(cells.line, date, str(error)))
    if spent is None or at is None:
        return BadRow(line=cells.line, problems=tuple(problems))
    paid = cells["Type"].lower() in PAYMENTS
    original = cells["Original currency"].upper()
    return entry_row(
        BankEntry(
            line=cells.line,
            account=context.account or ACCOUNT,
            amount=-spent,
            # A card of Brex is billed in dollars; what was paid in another currency stands beside it.
            currency="USD",
            occurred_at=at,
            reference=cells["Id"],
            counterparty=cells["Merchant Name"] or cells["Merchant"] or ("Brex" if paid else ""),
            category=cells["Brex Category"],
            own_transfer=paid,
            # Money that comes onto a card is a refund when it is no payment of the bill; never income.
            returns=not paid and spent < 0,
            metadata={
                "description": cells["Memo"] or cells["Statement Descriptor"],
                "card": cells["Last 4"].lstrip("*"),
                "original_amount": cells["Original amount"] if original not in {"", "USD"} else "",
                "original_currency": original if original != "USD" else "",
            },
        ),
        source=context.choices.source or NAME,
    )


def _plain_number(text: str) -> str:
    match = _SCIENTIFIC.fullmatch(text)
    if match is None:
        return text
    mantissa, _, _ = text.lower().partition("e")
    sign, digits = ("-", mantissa[1:]) if mantissa.startswith("-") else ("", mantissa)
    whole, _, fraction = digits.partition(".")
    exponent = int(match[1])
    padded = fraction.ljust(exponent, "0")
    return f"{sign}{whole}{padded[:exponent]}.{padded[exponent:] or '0'}"


IMPORTER = Importer(name=NAME, label="Brex card transactions", specificity=30, recognises=recognises, rows=rows)
