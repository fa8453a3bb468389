"""What became of an event that was handed to the journal."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from ledger.domain.problems import FieldProblem

RECORDED = "recorded"
DUPLICATE = "duplicate"
CONFLICT = "conflict"
REJECTED = "rejected"
# Where a provider's word about its objects corrects what is recorded.
CORRECTED = "corrected"
TAKEN_BACK = "taken back"
OVERTAKEN = "overtaken"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Attributes:
    status: recorded; duplicate (the same event is there already); conflict (its external object is there with
        other content: `problems` name the fields); rejected (`problems` say why). Of a provider's word also
        corrected (recorded in the place of others, or again); taken back (reversed, nothing in its place);
        overtaken (something newer is known of the object).
    event_id: 64 hexadecimal digits: of the event as recorded, of the one already there, or empty for none.
    position: in the company's journal; None unless this call recorded it (a repeat within one call has it too).
    occurred_at: of the event that event_id names; None when rejected.
    """

    status: str
    event_id: str
    position: int | None
    problems: tuple[FieldProblem, ...] = ()
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """An event as it stands in the journal.

    Attributes:
        event_id, reverses: hexadecimal; `reverses` is empty for anything but a reversal.
        metadata: JSON text.
    """

    event_id: str
    position: int
    source: str
    event_type: str
    direction: str
    account: str
    amount: Decimal
    currency: str
    occurred_at: datetime
    category: str
    counterparty: str
    external_ref: str
    metadata: str
    base_amount: Decimal
    fx_rate: Decimal
    fx_source: str
    fx_at: datetime
    revision: int
    reverses: str
    recorded_at: datetime
    actor: str
    reason: str
