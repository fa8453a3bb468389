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


# One row of the ledger's daily sums: day since 1970-01-01, direction, amount as text, count, event type, currency,
# category, counterparty. Accounts differ, so several may belong to one row of DailyFlows.
type SumRow = tuple[int, str, str, int, str, str, str, str]
_COLUMNS_OF_SUM = 8
# Rows of a day are ordered by the name of their type, as by any other name.
_RANK_OF_TYPE = {name: rank for rank, name in enumerate(sorted(EVENT_TYPES))}
_TYPE_OF_RANK = np.array([_CODE_OF_TYPE[name] for name in sorted(EVENT_TYPES)], dtype=np.int8)


def summed_flows(rows: Sequence[SumRow], contracts: Iterable[ContractReceipt] = ()) -> DailyFlows:
    """Return rows, in any order, summed exactly over accounts and directions, as `flow_arrays` would of the sums.

    Done here, since the database takes thrice as long for it, and each forecast asks anew.
    """
    columns: list[Any] = list(zip(*rows, strict=True)) if rows else [()] * _COLUMNS_OF_SUM
    size = len(rows)
    day = np.fromiter(columns[0], dtype=np.int32, count=size)
    incoming = np.fromiter(map("in".__eq__, columns[1]), dtype=np.bool_, count=size)
    amount = np.fromiter(map(float, columns[2]), dtype=np.float64, count=size)
    count = np.fromiter(columns[3], dtype=np.int32, count=size)
    rank = np.fromiter(map(_RANK_OF_TYPE.__getitem__, columns[4]), dtype=np.int8, count=size)
    currencies, currency = _codes(columns[5])
    categories, category = _codes(columns[6])
    counterparties, counterparty = _codes(columns[7])
    keys = (counterparty, category, currency, rank, day)
    order = np.lexsort(keys)
    first = np.ones(size, dtype=np.bool_)
    if size:
        first[1:] = np.logical_or.reduce([np.diff(key[order]) != 0 for key in keys])
    starts = np.flatnonzero(first)
    kept = order[starts]
    # Zero is added because nothing paid out is 0 and not -0.
    amounts = np.where(incoming, amount, -amount)[kept] + 0.0
    stops = np.append(starts[1:], size)
    for group in np.flatnonzero(stops - starts > 1).tolist():
        amounts[group] = float(
            sum(
                (
                    Decimal(columns[2][row]) if incoming[row] else -Decimal(columns[2][row])
                    for row in order[starts[group] : stops[group]].tolist()
                ),
                _ZERO,
            )
        )
    return DailyFlows(
        day=day[kept],
        amount=amounts,
        count=np.add.reduceat(count[order], starts, dtype=np.int32) if size else count,
        event_type=_TYPE_OF_RANK[rank[kept]],
        currency=currency[kept],
        category=category[kept],
        counterparty=counterparty[kept],
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
