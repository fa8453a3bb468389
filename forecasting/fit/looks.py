"""Looking at the same ledger from several days: today, and past days whose future is known."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.fit.calendar import BusinessCalendar
from forecasting.fit.cash_rows import CashRows
from forecasting.fit.recurring import Detection, detect
from forecasting.fit.role import Role, has_role

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

BACK_DAYS = (60, 120, 180, 270, 360)
HISTORY_NEEDED_DAYS = 120
WINDOW_DAYS = 120
NEVER_STREAMS = (Role.SPENDING,)
# A provider's first cloud bill is here too: usage is read from two bills on.
BILLS = (Role.SUBSCRIPTION, Role.RENT, Role.PAYROLL, Role.PAYROLL_TAX, Role.CLOUD)
YEARLY_BILL = 10.0  # times the usual bill


@dataclass(frozen=True, slots=True)
class Looks:
    """The rows without a model of their own, as seen on the as-of day (look 0) and on past days.

    Attributes:
        day: int64 [looks], descending.
        rows: the rows themselves, all of them.
        detection: streams of every look; the key of stream s in look i is i * keys + s.
        keys: kinds of payment; a payee's payments in and out are two.
        row_key: int64 [n], which key a row belongs to.
        first_day: of the ledger.
    """

    day: Ints
    rows: CashRows
    detection: Detection
    keys: int
    row_key: Ints
    first_day: int

    def pooled(self) -> NDArray[np.bool_]:
        """bool [looks, n]: rows known at a look that no stream explains there."""
        known = self.rows.day[None, :] <= self.day[:, None]
        is_stream = self.detection.is_stream.reshape(len(self.day), self.keys)
        return known & ~is_stream[:, self.row_key]


def look(rows: CashRows, *, calendar: BusinessCalendar) -> Looks:
    """Detect the streams among `rows` as of today and as of the past days that a self-backtest can use."""
    days = [rows.as_of_day]
    days += [d for d in (rows.as_of_day - back for back in BACK_DAYS) if d - rows.first_day >= HISTORY_NEEDED_DAYS]
    day = np.array(days, dtype=np.int64)
    kinds, row_key = np.unique(rows.payee.astype(np.int64) * 2 + (rows.amount > 0), return_inverse=True)
    keys = len(kinds)
    bill = np.zeros(keys, dtype=bool)
    bill[row_key[has_role(rows.role, *BILLS)]] = True
    streamable = ~has_role(rows.role, *NEVER_STREAMS)
    variable = np.zeros(keys, dtype=bool)
    variable[row_key[rows.role == Role.CONTRACTOR]] = True
    bill[_far_above_bills(rows, row_key, keys)] = False
    seen = (rows.day[None, :] <= day[:, None]) & streamable
    looks, row = np.nonzero(seen)
    detection = detect(
        day=rows.day[row],
        amount=rows.amount[row],
        key=looks * keys + row_key[row],
        as_of_day=np.repeat(day, keys),
        subscription=np.tile(bill, len(day)),
        variable=np.tile(variable, len(day)),
        calendar=calendar,
    )
    return Looks(
        day=day,
        rows=rows,
        detection=detection,
        keys=keys,
        row_key=row_key.astype(np.int64),
        first_day=rows.first_day,
    )


def _far_above_bills(rows: CashRows, row_key: Ints, keys: int) -> NDArray[np.bool_]:
    """bool [keys]: subscriptions whose largest payment is far above the company's usual one.

    Such a bill is a yearly one. Seen once and taken for monthly, it would cost twelve times as much.
    """
    subscription = rows.role == Role.SUBSCRIPTION
    largest = np.zeros(keys)
    np.maximum.at(largest, row_key[subscription], np.abs(rows.amount[subscription]))
    usual = np.abs(rows.amount[subscription])
    return largest > YEARLY_BILL * float(np.median(usual)) if len(usual) else np.zeros(keys, dtype=bool)
