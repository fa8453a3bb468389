"""Revolut: statements of personal and of business accounts, with their fees, as public importers read them.

Times are UTC. The balance moves by the amount less the fee: where an export states the total it is that of both,
else the fee is a booking of its own. Only what is completed has moved money.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import BinaryIO
from zoneinfo import ZoneInfo

from ledger.importers.bank_entry import BankEntry, entry_row
from ledger.importers.csv_amounts import InvalidNumber, read_number
from ledger.importers.csv_dates import InvalidMoment, read_moment
from ledger.importers.csv_preset import Cells, Preset
from ledger.importers.importer import HEAD_BYTES, ImportContext, Importer
from ledger.importers.row import BadRow, Found, RowProblem, bad_row, left_out

NAME = "revolut"
ACCOUNT = "bank-revolut"
PERSONAL = Preset(
    required=("Type", "Product", "Started Date", "Completed Date", "Amount", "Fee", "Currency", "State"),
    known=("Description", "Balance"),
)
BUSINESS = Preset(
    required=("Date started (UTC)", "Date completed (UTC)", "ID", "Type", "Amount", "Payment currency", "Account"),
    known=(
        "State", "Description", "Reference", "Payer", "Card number", "Orig currency", "Orig amount",
        "Total amount", "Fee", "Fee currency", "Balance", "Beneficiary IBAN",
    ),
)  # fmt: skip
# Between currencies and pockets of the same company.
OWN = frozenset({"exchange"})


def recognises(head: bytes) -> bool:
    return PERSONAL.recognises(head) or BUSINESS.recognises(head)


def rows(stream: BinaryIO, context: ImportContext) -> Iterator[Found]:
    head = stream.read(HEAD_BYTES)
    stream.seek(0)
    business = BUSINESS.recognises(head)
    for cells in (BUSINESS if business else PERSONAL).open(stream).cells():
        yield from _rows(cells, context, business=business)


def _rows(cells: Cells, context: ImportContext, *, business: bool) -> Iterator[Found]:
    if cells.problem:
        yield bad_row(line=cells.line, field="line", message=cells.problem)
        return
    completed = "Date completed (UTC)" if business else "Completed Date"
    state = cells["State"].lower()
    if not cells[completed] or (state and state != "completed"):
        message = f"is {state}: no money moved" if state else "has no date of completion: no money moved"
        yield left_out(line=cells.line, field="State", message=message)
        return
    problems: list[RowProblem] = []
    numbers: dict[str, Decimal] = {}
    for column in ("Amount", "Fee", "Total amount"):
        try:
            if cells[column] or column == "Amount":
                numbers[column] = read_number(cells[column], decimal_mark=".")
        except InvalidNumber as error:
            problems.append(RowProblem(cells.line, column, str(error)))
    at = None
    try:
        at = read_moment(cells[completed], order="dmy", timezone=ZoneInfo("UTC"))
    except InvalidMoment as error:
        problems.append(RowProblem(cells.line, completed, str(error)))
    currency = cells["Payment currency" if business else "Currency"].upper()
    if not currency:
        problems.append(RowProblem(cells.line, "Payment currency" if business else "Currency", "is empty"))
    if problems or at is None:
        yield BadRow(line=cells.line, problems=tuple(problems))
        return
    amount, fee = numbers["Amount"], abs(numbers.get("Fee", Decimal(0)))
    if "Total amount" in numbers:
        fee = amount - numbers["Total amount"]
    own = cells["Type"].lower() in OWN
    original = cells["Orig currency"].upper()
    shared = {
        "line": cells.line,
        "account": context.account or f"{ACCOUNT}-{currency.lower()}",
        "currency": currency,
        "occurred_at": at,
    }
    source = context.choices.source or NAME
    identity = f"{cells['ID']}:{currency}" if cells["ID"] else ""
    if amount or not fee:
        yield entry_row(
            BankEntry(
                **shared,  # type: ignore[arg-type]
                amount=amount,
                reference=identity,
                counterparty=cells["Description"],
                category=cells["Type"].lower(),
                own_transfer=own,
                returns="refund" in cells["Type"].lower(),
                metadata={
                    "description": cells["Reference"],
                    "payer": cells["Payer"],
                    "card": cells["Card number"][-4:],
                    "original_amount": cells["Orig amount"] if original not in {"", currency} else "",
                    "original_currency": original if original != currency else "",
                },
            ),
            source=source,
        )
    if fee:
        yield entry_row(
            BankEntry(
                **shared,  # type: ignore[arg-type]
                amount=-fee,
                reference=f"{identity}:fee" if identity else "",
                counterparty="Revolut",
                category="fee",
                returns=fee < 0,
                metadata={"description": cells["Description"]},
            ),
            source=source,
        )


IMPORTER = Importer(name=NAME, label="Revolut statement", specificity=30, recognises=recognises, rows=rows)
