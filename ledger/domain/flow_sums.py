"""Summing events by day, in memory: what the ledger's read side does in the database."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from ledger.domain.account import CASH_KINDS, kind_of_account
from ledger.domain.event import EventDraft
from ledger.domain.flows import EVENT_TYPES, ContractReceipt, DailyFlows, day_number

MAX_TERM_MONTHS = 999
_CODE_OF_TYPE = {name: code for code, name in enumerate(EVENT_TYPES)}
_ZERO = Decimal(0)


# One row of DailyFlows, before names become codes: day since 1970-01-01, signed amount, count, event type,
# currency, category, counterparty.
type FlowRow = tuple[int, float, int, str, str, str, str]
_COLUMNS_OF_ROW = 7


def flow_arrays(rows: Sequence[FlowRow], contracts: Iterable[ContractReceipt] = ()) -> DailyFlows:
    """Return rows, ordered by day, as arrays; names become codes in alphabetical order."""
    columns: list[Any] = list(zip(*rows, strict=True)) if rows else [()] * _COLUMNS_OF_ROW
    currencies, currency = _codes(columns[4])
    categories, category = _codes(columns[5])
    counterparties, counterparty = _codes(columns[6])
    return DailyFlows(
        day=np.array(columns[0], dtype=np.int32),
        amount=np.array(columns[1], dtype=np.float64),
        count=np.array(columns[2], dtype=np.int32),
        event_type=np.array([_CODE_OF_TYPE[name] for name in columns[3]], dtype=np.int8),
        currency=currency,
        category=category,
        counterparty=counterparty,
        currencies=currencies,
        categories=categories,
        counterparties=counterparties,
        contracts=tuple(contracts),
    )


def _codes(names: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    distinct = tuple(sorted(set(names)))
    place = {name: number for number, name in enumerate(distinct)}
    return distinct, np.fromiter(map(place.__getitem__, names), dtype=np.int32, count=len(names))


def daily_flows_from_events(events: Iterable[EventDraft], timezone: str) -> DailyFlows:
    """Return the daily flows of events that are in no database.

    As in the ledger, an event on an account that holds no cash moves none, a vendor credit is kept wherever it was
    booked, and an external object counts once, the first time. The kind of an account is told by its name; an
    account whose name says nothing counts as a bank account.

    Args:
        events: with `occurred_at`; one without is left out, since "now" is no day of the past.
        timezone: IANA name; decides what a day is.
    """
    zone = ZoneInfo(timezone)
    sums: dict[tuple[int, str, str, str, str], list[Any]] = {}
    contracts: list[ContractReceipt] = []
    seen: set[tuple[str, ...]] = set()
    for event in events:
        if event.occurred_at is None or not _counts(event, seen):
            continue
        day = event.occurred_at.astimezone(zone).date()
        key = (day_number(day), event.event_type, event.currency, event.category, event.counterparty)
        total = sums.setdefault(key, [_ZERO, 0])
        total[0] += event.amount if event.flow == "in" else -event.amount
        total[1] += 1
        receipt = contract_receipt(event, day=day)
        if receipt is not None:
            contracts.append(receipt)
    rows: list[FlowRow] = [
        (day, float(amount), count, event_type, currency, category, counterparty)
        for (day, event_type, currency, category, counterparty), (amount, count) in sorted(sums.items())
    ]
    return flow_arrays(rows, sorted(contracts, key=lambda receipt: (receipt.day, receipt.customer)))


def _counts(event: EventDraft, seen: set[tuple[str, ...]]) -> bool:
    account = event.account or "bank"
    if event.external_ref:
        key = (event.source, event.event_type, event.flow, account, event.external_ref)
        if key in seen:
            return False
        seen.add(key)
    return event.event_type == "credit" or (kind_of_account(account) or "bank") in CASH_KINDS


def contract_receipt(event: EventDraft, *, day: date) -> ContractReceipt | None:
    """Return the contract that an income's metadata tells of, None when it tells of none."""
    metadata = event.metadata
    if event.event_type != "income" or isinstance(metadata, str) or "contract" not in metadata:
        return None
    term = metadata.get("term_months")
    if type(term) is not int or not 0 < term <= MAX_TERM_MONTHS:
        return None
    return ContractReceipt(
        day=day,
        customer=event.counterparty,
        amount=event.amount,
        currency=event.currency,
        term_months=term,
        deferred=metadata.get("deferred") is True,
        renewal=metadata.get("renewal") is True,
    )
