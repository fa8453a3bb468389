"""Stripe: the balance of an account line by line, as the dashboard ("Balance history") and reports export it.

A line of Stripe is two movements of ours: what was paid, and the fee that Stripe kept of it. Types and ids are
those of the webhooks (`ledger.providers.stripe_money`: `ch_…` is an income, `re_…` an expense, a fee one under
its `txn_…`), so what a webhook has recorded is a duplicate here. Where a webhook recorded money as paid and this
file has it changed already, the line is a conflict, and still nothing counts twice.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import BinaryIO
from zoneinfo import ZoneInfo

from ledger.importers.bank_entry import BankEntry, entry_row
from ledger.importers.csv_amounts import InvalidNumber, read_number
from ledger.importers.csv_dates import InvalidMoment, read_moment
from ledger.importers.csv_preset import Cells, Preset
from ledger.importers.importer import ImportContext, Importer
from ledger.importers.row import BadRow, Found, RowProblem, bad_row

NAME = "stripe"
ACCOUNT = "stripe"
HISTORY = Preset(
    required=("id", "Type", "Source", "Amount", "Fee", "Net", "Currency", "Created (UTC)"),
    known=("Description", "Customer Facing Amount", "Customer Facing Currency", "Transfer"),
)
REPORT = Preset(
    required=("balance_transaction_id", "created_utc", "currency", "gross", "fee", "net", "reporting_category"),
    known=("source_id", "description", "customer_facing_amount", "customer_facing_currency"),
)
# Names of the report -> those of the history.
SAME = {
    "id": "balance_transaction_id",
    "Type": "reporting_category",
    "Source": "source_id",
    "Amount": "gross",
    "Fee": "fee",
    "Net": "net",
    "Currency": "currency",
    "Created (UTC)": "created_utc",
    "Description": "description",
    "Customer Facing Amount": "customer_facing_amount",
    "Customer Facing Currency": "customer_facing_currency",
}
PAYOUTS = frozenset(
    {"payout", "payout_cancel", "payout_failure", "payout_reversal", "transfer", "topup", "topup_reversal"}
)
PAYMENTS = frozenset({"charge", "payment"})
# As the webhooks have it: out it is an expense, in an income.
GIVEN_BACK = frozenset({"refund", "payment_refund", "dispute", "dispute_reversal"})
FEES = frozenset({"stripe_fee", "stripe_fx_fee", "application_fee", "tax_fee", "network_cost", "fee"})


def recognises(head: bytes) -> bool:
    return HISTORY.recognises(head) or REPORT.recognises(head)


def rows(stream: BinaryIO, context: ImportContext) -> Iterator[Found]:
    head = stream.read(65_536)
    stream.seek(0)
    preset = REPORT if REPORT.recognises(head) else HISTORY
    for cells in preset.open(stream).cells():
        yield from _rows(_by_history(cells) if preset is REPORT else cells, context)


def _by_history(cells: Cells) -> Cells:
    values = {name: cells.values.get(other, "") for name, other in SAME.items()}
    return Cells(line=cells.line, problem=cells.problem, values=values)


def _rows(cells: Cells, context: ImportContext) -> Iterator[Found]:
    if cells.problem:
        yield bad_row(line=cells.line, field="line", message=cells.problem)
        return
    problems: list[RowProblem] = []
    numbers: dict[str, Decimal] = {}
    for column in ("Amount", "Fee", "Net"):
        try:
            numbers[column] = read_number(cells[column] or ("0" if column == "Fee" else ""), decimal_mark=".")
        except InvalidNumber as error:
            problems.append(RowProblem(cells.line, column, str(error)))
    at = None
    try:
        at = read_moment(cells["Created (UTC)"], order=None, timezone=ZoneInfo("UTC"))
    except InvalidMoment as error:
        problems.append(RowProblem(cells.line, "Created (UTC)", str(error)))
    if not problems and numbers["Amount"] - numbers["Fee"] != numbers["Net"]:
        message = f"is {numbers['Net']} where the amount less the fee is {numbers['Amount'] - numbers['Fee']}"
        problems.append(RowProblem(cells.line, "Net", message))
    if problems or at is None:
        yield BadRow(line=cells.line, problems=tuple(problems))
        return
    kind = cells["Type"].lower()
    reference = cells["Source"] or cells["id"]
    facing = cells["Customer Facing Currency"].upper()
    currency = cells["Currency"].upper()
    shared = {
        "line": cells.line,
        "account": context.account or ACCOUNT,
        "currency": currency,
        "occurred_at": at,
    }
    noted = {"balance_transaction": cells["id"]}
    source = context.choices.source or NAME
    if numbers["Amount"]:
        amount = numbers["Amount"]
        fee_itself = kind in FEES
        yield entry_row(
            BankEntry(
                **shared,  # type: ignore[arg-type]
                amount=amount,
                reference=reference,
                category="stripe fee" if fee_itself else kind,
                counterparty="Stripe" if fee_itself else "",
                own_transfer=kind in PAYOUTS,
                # A fee that comes back is no income, and what the file calls an adjustment is one.
                returns=kind not in PAYOUTS | GIVEN_BACK
                and not (kind in PAYMENTS and amount > 0)
                and not (fee_itself and amount < 0),
                metadata={
                    **noted,
                    "description": cells["Description"],
                    "original_amount": cells["Customer Facing Amount"] if facing and facing != currency else "",
                    "original_currency": facing if facing != currency else "",
                },
            ),
            source=source,
        )
    if numbers["Fee"]:
        yield entry_row(
            BankEntry(
                **shared,  # type: ignore[arg-type]
                amount=-numbers["Fee"],
                reference=cells["id"] if reference != cells["id"] else f"{reference}:fee",
                category="stripe fee",
                counterparty="Stripe",
                returns=numbers["Fee"] < 0,
                metadata=noted,
            ),
            source=source,
        )


IMPORTER = Importer(name=NAME, label="Stripe balance history", specificity=30, recognises=recognises, rows=rows)
