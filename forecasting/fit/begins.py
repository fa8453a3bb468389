"""When income begins that no open invoice stands for yet.

What customers owe is listed, so what comes before the invoices of tomorrow are paid is known. A customer who owes
pays again one of his own intervals after the newest; everybody else pays what is still to be written, once that is
due. Counting open invoices against the sum of all income instead would let one order that is paid a year ahead
stand for months of everybody's fees.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.fit.cash_rows import CashRows
from forecasting.fit.contracts import Receivable

WINDOW_DAYS = 365
RHYTHM_PAYMENTS = 3
OFTEN_DAYS = 45.0  # who pays more often than that would owe something, were all invoices listed
SELDOM_DAYS = 100.0
HEARD_GAPS = 1.3
LOST_GAPS = 2.0
USUAL_SHARE = 0.6
LONGEST_LEAD_DAYS = 90.0


@dataclass(frozen=True, slots=True)
class Begins:
    """From which day on shares of the income come.

    Attributes:
        day: float64 [n], days since 1970-01-01.
        share: float64 [n], of the expected income; they sum to one.
    """

    day: NDArray[np.float64]
    share: NDArray[np.float64]

    def share_by(self, first_day: int, days: int) -> NDArray[np.float64]:
        """float64 [days]: how much of the income has begun on each day."""
        order = np.argsort(self.day, kind="stable")
        sums = np.concatenate(([0.0], np.cumsum(self.share[order])))
        found: NDArray[np.float64] = sums[
            np.searchsorted(self.day[order], np.arange(first_day, first_day + days), side="right")
        ]
        return found


def fit_begins(rows: CashRows, chosen: NDArray[np.bool_], owed: tuple[Receivable, ...]) -> Begins | None:
    """Read the `chosen` receipts payee by payee; None where nobody owes anything.

    Args:
        owed: open invoices; those of contracts are left out.
    """
    owed = tuple(one for one in owed if not one.by_contract)
    window = min(WINDOW_DAYS, rows.history_days)
    recent = chosen & (rows.day > rows.as_of_day - window)
    if not owed or not recent.any():
        return None
    open_of: dict[str, list[Receivable]] = {}
    for one in owed:
        open_of.setdefault(one.customer, []).append(one)
    found = [
        _payer(rows, mine, window, open_of.get(rows.payees[payee].counterparty, []))
        for payee, mine in rows.by_payee(recent)
    ]
    heard = [one.owes_or_has_paid for one in found if one.is_heard]
    are_listed = not heard or float(np.mean(heard)) >= USUAL_SHARE
    # What is written from tomorrow on, by whomever, is paid when it is due and as late as usual.
    lead = max(max(one.due_day for one in owed) - rows.as_of_day, 0)
    late = float(np.mean([one.lateness.shift + one.lateness.spread for one in owed]))
    others_begin = rows.as_of_day + (min(lead + late, LONGEST_LEAD_DAYS) if are_listed else 0.0)
    there = [one for one in found if not one.has_gone]
    if not there:
        return Begins(day=np.array([others_begin]), share=np.ones(1))
    share = np.array([one.paid for one in there])
    return Begins(
        day=np.array([others_begin if one.begins is None else one.begins for one in there]),
        share=share / share.sum(),
    )


@dataclass(frozen=True, slots=True)
class _Payer:
    """One payee of the window.

    Attributes:
        begins: from when on he pays what is not written yet, None where his payments do not tell.
        is_heard: pays so often that he would owe something, were all invoices listed.
    """

    paid: float
    begins: float | None
    is_heard: bool
    owes_or_has_paid: bool
    has_gone: bool


def _payer(rows: CashRows, mine: NDArray[np.intp], window: int, owes: list[Receivable]) -> _Payer:
    days, paid = np.unique(rows.day[mine]), float(rows.amount[mine].sum())
    has_rhythm = len(days) >= RHYTHM_PAYMENTS
    gap = float(np.median(np.diff(days))) if has_rhythm else window / len(days)
    silence = rows.as_of_day - int(days[-1])
    begins = None
    if owes:
        newest = max(one.due_day + one.lateness.shift + one.lateness.spread for one in owes)
        # However soon it is paid, what he owes is so much of what he usually pays.
        covered = sum(one.probability * one.amount for one in owes) * gap * len(days) / paid
        begins = max(newest + gap / 2, rows.as_of_day + min(covered, WINDOW_DAYS) - gap / 2)
    elif has_rhythm and OFTEN_DAYS < gap <= SELDOM_DAYS and silence <= HEARD_GAPS * gap:
        begins = int(days[-1]) + gap / 2
    return _Payer(
        paid=paid,
        begins=begins,
        is_heard=has_rhythm and gap <= OFTEN_DAYS and silence <= HEARD_GAPS * gap,
        owes_or_has_paid=bool(owes) or silence < gap / 2,
        has_gone=not owes and has_rhythm and silence > LOST_GAPS * gap,
    )
