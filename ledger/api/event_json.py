"""An event of the journal as the API shows it."""

import json
from datetime import UTC, datetime
from decimal import Decimal

from ninja import Schema

from ledger.domain.outcome import JournalEntry

_CENT = Decimal("0.01")


class EventSchema(Schema):
    """An event of the journal. Amounts and rates are decimal strings, instants are UTC."""

    event_id: str
    position: int
    source: str
    event_type: str
    direction: str
    account: str
    amount: str
    currency: str
    occurred_at: datetime
    category: str
    counterparty: str
    external_ref: str
    metadata: dict | str
    base_amount: str
    fx_rate: str
    fx_source: str
    fx_at: datetime
    revision: int
    reverses: str | None
    recorded_at: datetime
    actor: str
    reason: str


def event_json(entry: JournalEntry) -> str:
    """Return an entry as JSON text; its metadata is passed on as it is stored."""
    members = {
        "event_id": entry.event_id,
        "position": entry.position,
        "source": entry.source,
        "event_type": entry.event_type,
        "direction": entry.direction,
        "account": entry.account,
        "amount": money_text(entry.amount),
        "currency": entry.currency,
        "occurred_at": instant_text(entry.occurred_at),
        "category": entry.category,
        "counterparty": entry.counterparty,
        "external_ref": entry.external_ref,
        "base_amount": money_text(entry.base_amount),
        "fx_rate": _plain(entry.fx_rate),
        "fx_source": entry.fx_source,
        "fx_at": instant_text(entry.fx_at),
        "revision": entry.revision,
        "reverses": entry.reverses or None,
        "recorded_at": instant_text(entry.recorded_at),
        "actor": entry.actor,
        "reason": entry.reason,
    }
    return f'{json.dumps(members, ensure_ascii=False)[:-1]}, "metadata": {entry.metadata}}}'


def money_text(amount: Decimal) -> str:
    """Return an amount with at least two decimals and no zeros beyond them: 12.50, 0.000125."""
    text = _plain(amount)
    _, _, decimals = text.partition(".")
    return text if len(decimals) >= 2 else f"{amount.quantize(_CENT):f}"


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def instant_text(instant: datetime) -> str:
    """Return an aware instant as ISO 8601 in UTC, with a Z."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
