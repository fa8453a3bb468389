"""Wise: the statement of one balance, signed, day first, with ids, as public importers read it.

The amount is net of Wise's fee, which `Total fees` only breaks down. A card payment and its refunds share an id:
the direction tells the payment apart, and a second refund is told apart by what it says.
"""

from collections.abc import Iterator
from contextlib import closing
from typing import BinaryIO
from zoneinfo import ZoneInfo

from ledger.importers.bank_entry import BankEntry, entry_row
from ledger.importers.csv_amounts import InvalidNumber, read_number
from ledger.importers.csv_dates import InvalidMoment, read_moment
from ledger.importers.csv_preset import Cells, Preset
from ledger.importers.importer import ImportContext, Importer
from ledger.importers.known_ids import KnownIds
from ledger.importers.row import BadRow, Found, RowProblem, bad_row

NAME = "wise"
ACCOUNT = "bank-wise"
PRESET = Preset(
    required=("TransferWise ID", "Date", "Amount", "Currency", "Description", "Running Balance"),
    known=(
        "Date Time", "Payment Reference", "Exchange From", "Exchange To", "Exchange Rate", "Exchange To Amount",
        "Payer Name", "Payee Name", "Merchant", "Card Last Four Digits", "Note", "Total fees",
        "Transaction Details Type",
    ),
)  # fmt: skip
# Between balances of the same company.
OWN = frozenset({"conversion", "balance_transfer"})


def rows(stream: BinaryIO, context: ImportContext) -> Iterator[Found]:
    table = PRESET.open(stream)
    with closing(KnownIds()) as ids:
        for cells in table.cells():
            yield _row(cells, context, ids)


def _row(cells: Cells, context: ImportContext, ids: KnownIds) -> Found:
    if cells.problem:
        return bad_row(line=cells.line, field="line", message=cells.problem)
    problems: list[RowProblem] = []
    amount = at = None
    try:
        amount = read_number(cells["Amount"], decimal_mark=".")
    except InvalidNumber as error:
        problems.append(RowProblem(cells.line, "Amount", str(error)))
    try:
        at = read_moment(cells["Date Time"] or cells["Date"], order="dmy", timezone=ZoneInfo("UTC"))
    except InvalidMoment as error:
        problems.append(RowProblem(cells.line, "Date", str(error)))
    currency = cells["Currency"].upper()
    if not currency:
        problems.append(RowProblem(cells.line, "Currency", "is empty"))
    if problems or amount is None or at is None:
        return BadRow(line=cells.line, problems=tuple(problems))
    account = context.account or f"{ACCOUNT}-{currency.lower()}"
    reference = cells["TransferWise ID"]
    if reference and ids.is_reused(account, reference, str(amount > 0), content=(amount, at)):
        reference = ""
    kind = cells["Transaction Details Type"].lower()
    paid_in = cells["Exchange To"].upper()
    return entry_row(
        BankEntry(
            line=cells.line,
            account=account,
            amount=amount,
            currency=currency,
            occurred_at=at,
            reference=reference,
            counterparty=cells["Merchant"] or (cells["Payer Name"] if amount > 0 else cells["Payee Name"]),
            category=kind,
            own_transfer=kind in OWN,
            # A card that gets money back earns nothing.
            returns=amount > 0 and (kind == "card" or cells["TransferWise ID"].startswith("CARD")),
            metadata={
                "description": cells["Description"],
                "reference": cells["Payment Reference"],
                "note": cells["Note"],
                "card": cells["Card Last Four Digits"],
                "fees": cells["Total fees"] if cells["Total fees"].strip("0.") else "",
                "original_amount": cells["Exchange To Amount"] if paid_in not in {"", currency} else "",
                "original_currency": paid_in if paid_in != currency else "",
            },
        ),
        source=context.choices.source or NAME,
    )


IMPORTER = Importer(
    name=NAME, label="Wise balance statement", specificity=30, recognises=PRESET.recognises, rows=rows
)
