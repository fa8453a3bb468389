"""Taxes on what was taken: value added tax, goods and services tax.

Each payment is a share of the income of the months before it, so the next one is known to a large part, and all of
them have the season and the growth of sales.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from forecasting.fit.calendar import BusinessCalendar, add_months, day_of_month, month_of
from forecasting.fit.cash_rows import CashRows
from forecasting.fit.revenue import FittedRevenue
from forecasting.fit.role import Role
from forecasting.fit.shrinkage import DAYS_PER_MONTH

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

PERIODS = (1, 2, 3)  # months of income that one payment is for
LAGS = (1, 2, 3)  # months from the end of that period to the payment
PAYMENTS_NEEDED = 3
PAYMENTS_READ = 12
MOST_UNEXPLAINED_SD = 0.05, 0.15  # of the log share, of three payments and of more
UNEXPLAINED = 0.5, 0.8  # of the sd of the log payments themselves: what is level is an instalment
MOST_OF_A_SWING_SD, MOST_OF_A_SWING = 0.35, 0.55  # where income has a season that the payments show
WHOLE_MONTH_DAY = 3


@dataclass(frozen=True, slots=True)
class FittedSalesTax:
    """One payee's share of the income of whole months.

    Attributes:
        share: paid per unit of income.
        day: when payments fall due, a horizon's worth and more.
        first_month, last_month: of each payment's income, months since 1970-01.
        taken: of that income, what has come by the as-of date.
        share_sd: sd of the log share from payment to payment.
        payments: how many it was read from.
    """

    payee: str
    share: float
    day: Ints
    first_month: Ints
    last_month: Ints
    taken: Floats
    share_sd: float
    payments: int

    def owed(self) -> Floats:
        """float64 [payments ahead]: what is due for income that has come, positive."""
        return self.taken * self.share

    def expected(self, income: FittedRevenue, *, first_day: int) -> Floats:
        """float64 [payments ahead]: what will be due for income from `first_day` on, positive, at level 1.

        A payment is made at the level of its own day, so growth since its income is taken off.
        """
        horizon = int(self.day[-1]) - first_day + 1
        if horizon <= 0:
            return np.zeros(len(self.day))
        days = np.arange(first_day, first_day + horizon)
        daily = income.expected(first_day=first_day, days=horizon)
        month = month_of(days)
        of_payment = (month >= self.first_month[:, None]) & (month <= self.last_month[:, None])
        aged = np.exp(-income.g * (self.day[:, None] - days) / DAYS_PER_MONTH)
        expected: Floats = (of_payment * aged) @ daily * self.share
        return expected


def fit_sales_taxes(
    rows: CashRows,
    *,
    income: FittedRevenue | None,
    of_income: NDArray[np.bool_],
    calendar: BusinessCalendar,
    months_ahead: int,
) -> tuple[tuple[FittedSalesTax, ...], NDArray[np.bool_]]:
    """The taxes that follow income, and which rows that explains.

    Args:
        months_ahead: how far payments are listed.
    """
    explained = np.zeros(len(rows.day), dtype=bool)
    tax = (rows.role == Role.TAX) & (rows.amount < 0)
    if income is None or not tax.any() or not of_income.any():
        return (), explained
    first_month = int(month_of(rows.day[:1])[0])
    taken = np.bincount(month_of(rows.day[of_income]) - first_month, weights=rows.amount[of_income])
    began = int(rows.day[of_income][0])
    whole_from = int(month_of(np.array([began]))[0]) + (int(day_of_month(np.array([began]))[0]) > WHOLE_MONTH_DAY)
    found = []
    for payee in np.unique(rows.payee[tax]).tolist():
        mine = tax & (rows.payee == payee)
        day, inverse = np.unique(rows.day[mine], return_inverse=True)
        paid = -np.bincount(inverse, weights=rows.amount[mine])
        one = _follow(
            day[-PAYMENTS_READ:],
            paid[-PAYMENTS_READ:],
            taken=np.concatenate([taken, np.zeros(months_ahead + 4)]),
            first_month=first_month,
            whole_from=whole_from,
            growth=income.g,
        )
        if one is None:
            continue
        due_month = int(month_of(day[-1:])[0]) + one.period * np.arange(1, months_ahead // one.period + 2)
        due = calendar.on_or_after(
            add_months(month=due_month, day_of_month=int(np.median(day_of_month(day[-PAYMENTS_READ:]))))
        )
        if due[0] < rows.as_of_day - one.period * DAYS_PER_MONTH / 2:
            continue  # nobody pays it any more
        last_month = due_month - one.lag
        cumulated = np.concatenate([[0.0], np.cumsum(taken), np.full(months_ahead + 8, taken.sum())])
        last = np.minimum(last_month - first_month + 1, len(cumulated) - 1)
        found.append(
            FittedSalesTax(
                payee=rows.payees[payee].counterparty or rows.payees[payee].category,
                share=one.share,
                day=np.maximum(due, rows.as_of_day + 1),
                first_month=last_month - one.period + 1,
                last_month=last_month,
                taken=cumulated[last] - cumulated[np.minimum(last_month - one.period + 1 - first_month, last)],
                share_sd=one.sd,
                payments=one.payments,
            )
        )
        explained |= mine
    return tuple(found), explained


class _Followed(NamedTuple):
    """A tax on income as its payments tell it.

    Attributes:
        share: of what was taken.
        sd: of the log of the share, from payment to payment.
        period: months per payment.
        lag: whole months from the end of the period to the payment's month.
        payments: how many were read.
    """

    share: float
    sd: float
    period: int
    lag: int
    payments: int


def _follow(
    day: Ints, paid: Floats, *, taken: Floats, first_month: int, whole_from: int, growth: float
) -> _Followed | None:
    """How payments follow income; None where they do not."""
    month = month_of(day)
    steps = np.diff(month)
    if len(day) < PAYMENTS_NEEDED:
        return None
    period = int(steps.min())
    # Where nothing was taken nothing is due, so a payment may be missing.
    if period not in PERIODS or (steps % period).any():
        return None
    own = np.log(paid) - growth * (day - day[-1]) / DAYS_PER_MONTH
    best: _Followed | None = None
    for lag in LAGS:
        begins = month - lag - period + 1
        known = begins >= whole_from
        if int(known.sum()) < PAYMENTS_NEEDED:
            continue
        income = taken[begins[known, None] + np.arange(period) - first_month].sum(axis=1)
        if (income <= 0).any():
            continue
        ratio = np.log(paid[known] / income)
        sd = float(np.std(ratio, ddof=1))
        level = float(np.std(own[known], ddof=1))
        more = int(known.sum()) > PAYMENTS_NEEDED
        swings = more and sd <= min(MOST_OF_A_SWING_SD, MOST_OF_A_SWING * level)
        if sd > min(MOST_UNEXPLAINED_SD[more], UNEXPLAINED[more] * level) and not swings:
            continue
        if best is None or sd < best.sd:
            best = _Followed(float(np.exp(ratio.mean())), sd, period, lag, int(known.sum()))
    return best
