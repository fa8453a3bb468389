"""What is paid out a fixed number of days after the sale: a marketplace holds its sellers' money that long.

In a growing company such a payment looks small beside the sales of its own week, and what is held looks like cash.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MOST_DAYS = 45
PAYMENTS_READ, PAYMENTS_NEEDED = 40, 8
GAPS_WAITED = 3  # payments that have not come for longer have ended
MOST_REST = 0.05  # sd of the log share: a payment that is counted, not chosen
SHARPER = 0.6  # than what the sales of other days would explain, or a bill that is always the same


@dataclass(frozen=True, slots=True, eq=False)
class HeldBack:
    """Sales that have been made and not been paid out for.

    Attributes:
        days: from a sale until the first day on which it may be paid out.
        share: paid per unit of sales.
        rest: sd of a payment's log share.
        sold: float64 [n], of the days since the last that has been paid out for, the as-of day last.
    """

    days: int
    share: float
    rest: float
    sold: Floats


def fit_held_back(*, day: Ints, paid: Floats, sold: Floats, first_day: int) -> HeldBack | None:
    """How long money is held back, where payments follow the sales of certain days closely; else None.

    Args:
        day, paid: of each payment, ascending and positive.
        sold: float64 [days], of each day from `first_day` to the as-of day.
    """
    day, paid = day[-PAYMENTS_READ - 1 :], paid[-PAYMENTS_READ - 1 :]
    if len(day) <= PAYMENTS_NEEDED or _has_ended(day, as_of_day=first_day + len(sold) - 1):
        return None
    upto = np.concatenate([[0.0], np.cumsum(sold)])
    held = np.arange(MOST_DAYS + 1)
    # Sales up to and with the day so long before each payment, [held, payments].
    reached = upto[np.clip(day[None, :] - held[:, None] - first_day + 1, 0, len(sold))]
    due = np.diff(reached, axis=1)
    known = (due > 0.0) & (day[None, :-1] - held[:, None] >= first_day - 1)
    log_share = np.where(known, np.log(paid[1:] / np.where(known, due, 1.0)), 0.0)
    count = np.maximum(known.sum(axis=1), 1)
    off_by = np.where(known, log_share - (log_share.sum(axis=1) / count)[:, None], 0.0)
    enough = (count >= PAYMENTS_NEEDED) & known[:, -PAYMENTS_NEEDED:].all(axis=1)
    rests = np.where(enough, np.sqrt((off_by**2).sum(axis=1) / count), np.inf)
    best = int(np.argmin(rests))
    if rests[best] > MOST_REST:
        return None
    otherwise = min(float(np.median(rests[enough])), float(np.std(np.log(paid[1:][known[best]]))))
    if rests[best] >= SHARPER * otherwise:
        return None
    first = int(day[-1]) - best + 1 - first_day
    return HeldBack(
        days=best,
        share=float(np.exp(np.median(log_share[best][known[best]]))),
        rest=float(rests[best]),
        sold=sold[max(first, 0) :],
    )


def _has_ended(day: Ints, *, as_of_day: int) -> bool:
    return as_of_day - int(day[-1]) > GAPS_WAITED * float(np.median(np.diff(day)))
