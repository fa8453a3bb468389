"""One booked entry of a bank's statement, and the capital event it becomes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from ledger.importers.row import LeftOut, Row, RowProblem, left_out

MAX_TEXT = 255


@dataclass(frozen=True, slots=True)
class BankEntry:
    """Attributes:
    account: its name in the ledger.
    amount: signed, in `currency`: cash in > 0, cash out < 0.
    reference: the bank's id of this booking; empty when it gives none that can be trusted.
    returns: money that goes back (a reversal, a refunded fee): neither income nor an expense.
    own_transfer: the other side is an account of the same company.
    metadata: what else the bank says, without empty values.
    """

    line: int
    account: str
    amount: Decimal
    currency: str
    occurred_at: datetime
    reference: str = ""
    counterparty: str = ""
    category: str = ""
    returns: bool = False
    own_transfer: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)
    review: tuple[RowProblem, ...] = ()


def entry_row(entry: BankEntry, *, source: str) -> Row | LeftOut:
    """Return the entry as an event; one of 0.00 (a notice among the bookings) is left out."""
    if not entry.amount:
        return left_out(line=entry.line, field="amount", message="is zero: no money moves")
    direction = "in" if entry.amount > 0 else "out"
    if entry.own_transfer:
        event_type = "transfer"
    elif entry.returns:
        event_type = "adjustment"
    else:
        event_type = "income" if direction == "in" else "expense"
    event: dict[str, object] = {
        "source": source,
        "event_type": event_type,
        "amount": f"{abs(entry.amount):f}",
        "currency": entry.currency,
        "occurred_at": entry.occurred_at.astimezone(UTC).isoformat(),
        "account": entry.account,
    }
    if entry.own_transfer or entry.returns:
        event["direction"] = direction
    texts = {"category": entry.category, "counterparty": entry.counterparty, "external_ref": entry.reference}
    event |= {name: shortened(text) for name, text in texts.items() if text}
    metadata = {name: text for name, text in entry.metadata.items() if text}
    if len(entry.counterparty) > MAX_TEXT:
        metadata["counterparty"] = entry.counterparty
    if metadata:
        event["metadata"] = metadata
    return Row(line=entry.line, event=event, review=entry.review)


def shortened(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def noon(day: date, timezone: ZoneInfo) -> datetime:
    """Return noon of a day, far from both of its ends."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=timezone).astimezone(UTC)
