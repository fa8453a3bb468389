"""One line of the demo company's past."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from zlib import crc32

import numpy as np

from capstack.demo.story import CURRENCY, SEED, ZONE
from ledger.domain.event import EventDraft


def entry(
    *,
    day: date,
    hour: int,
    source: str,
    event_type: str,
    amount: Decimal,
    account: str,
    category: str,
    counterparty: str,
    ref: str,
    currency: str = CURRENCY,
    direction: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> EventDraft:
    """An event on a day, at an hour of the company's clock; the minute follows from the reference.

    Args:
        ref: identifies the object at its source, unlike every other of the source.
    """
    moment = datetime.combine(day, time(hour, crc32(ref.encode()) % 60), tzinfo=ZONE)
    return EventDraft(
        source=source,
        event_type=event_type,
        amount=amount,
        currency=currency,
        occurred_at=moment.astimezone(UTC),
        direction=direction,
        account=account,
        category=category,
        counterparty=counterparty,
        external_ref=ref,
        metadata=dict(metadata or {}),
    )


def cents(number: float) -> Decimal:
    """An invented number as an amount of at least one cent."""
    return max(Decimal(round(number * 100)).scaleb(-2), Decimal("0.01"))


def dice(stream: str) -> np.random.Generator:
    """Random numbers for one stream of events; the same ones every time, whatever the other streams draw."""
    return np.random.Generator(np.random.PCG64([SEED, crc32(stream.encode())]))
