"""Shapes for the OpenAPI document. The hot path reads and writes JSON itself; these say which."""

from datetime import datetime
from typing import Literal

from ninja import Field, Schema

from ledger.api.event_json import EventSchema


class EventIn(Schema):
    """An event to record."""

    source: str = Field(min_length=1, max_length=64, description="Free text; its first use creates it.")
    event_type: Literal["expense", "income", "credit", "adjustment", "transfer"]
    amount: str | float = Field(
        description=(
            "Positive, at most 14 integer digits and 6 decimals, no exponent; a string, or a number, "
            "which is read digit for digit."
        ),
        examples=["1250.00"],
    )
    currency: str = Field(min_length=3, max_length=3, description="ISO 4217.", examples=["USD"])
    occurred_at: datetime | None = Field(
        None, description="ISO 8601 with a time zone, from 1999-01-01 to 18 months ahead; now when absent."
    )
    direction: Literal["in", "out"] | None = Field(
        None, description="Required for adjustment and transfer, here or as metadata.direction."
    )
    account: str | None = Field(None, max_length=64, description="The company's first bank account when absent.")
    category: str | None = Field(None, max_length=255)
    counterparty: str | None = Field(None, max_length=255)
    external_ref: str | None = Field(
        None, max_length=255, description="The provider's object id, never a delivery id: a retry must repeat it."
    )
    metadata: dict | str | None = Field(None, description="At most 16 KB and 32 levels.")


class EventAnswer(Schema):
    status: Literal["recorded", "duplicate"]
    event_id: str
    event: EventSchema


class RejectedItem(Schema):
    """`index` counts from 0: the place in the array, or the line of NDJSON less one."""

    index: int
    field: str
    message: str


class ItemResult(Schema):
    index: int
    status: Literal["recorded", "duplicate", "conflict", "rejected"]
    event_id: str | None
    errors: list[RejectedItem]


class BulkAnswer(Schema):
    read: int
    recorded: int
    duplicates: int
    conflicts: int
    rejected: list[RejectedItem]
    results: list[ItemResult] | None = Field(None, description="Every item's result, with ?results=all.")


class EventList(Schema):
    events: list[EventSchema]
    next: str | None = Field(description="Address of the next page; null at the end.")
