"""What moved, per calendar day: the one shape in which the ledger hands history to a forecast."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

# Positions in this tuple are the codes of `DailyFlows.event_type`.
EVENT_TYPES = ("expense", "income", "credit", "adjustment", "transfer")
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class ContractReceipt:
    """One payment for a contract that is delivered over months, e.g. an annual licence paid up front."""

    day: date
    customer: str
    amount: Decimal
    currency: str
    term_months: int
    deferred: bool
    renewal: bool


@dataclass(frozen=True, slots=True)
class DailyFlows:
    """Cash movements and vendor credits of one company, one row per day and kind of flow, ordered by day.

    A row sums every event that shares day, event type, currency, category and counterparty.

    Attributes:
        day: int32 [n], days since 1970-01-01 in the company's calendar.
        amount: float64 [n], in the row's own currency; cash in > 0, cash out < 0. A vendor credit (event type
            `credit`) moves no cash and is positive: the part of a bill that it paid.
        count: int32 [n], events summed into the row.
        event_type: int8 [n], index into EVENT_TYPES.
        currency, category, counterparty: int32 [n], indices into the tuples of names below.
        contracts: receipts that carry a contract in their metadata, ordered by day.
    """

    day: NDArray[np.int32]
    amount: NDArray[np.float64]
    count: NDArray[np.int32]
    event_type: NDArray[np.int8]
    currency: NDArray[np.int32]
    category: NDArray[np.int32]
    counterparty: NDArray[np.int32]
    currencies: tuple[str, ...]
    categories: tuple[str, ...]
    counterparties: tuple[str, ...]
    contracts: tuple[ContractReceipt, ...] = ()


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days
