"""How late customers pay: usual when nothing is known, their own when the ledger tells.

No ledger row says which invoice it paid. But who owes an invoice due on the 15th and pays every month was, as a
rule, billed for the 15th before: the days of the month on which such customers paid say how late they are, as long
as that is less than a month. Of who pays by the quarter the days of the quarter say it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.fit.calendar import day_of_month
from forecasting.fit.cash_rows import CashRows
from forecasting.fit.shrinkage import DAYS_PER_MONTH

USUAL_DAYS = 12.0
EARLY_DAYS = 8  # a payment up to so many days before a due day was for that one
READ_PER_CUSTOMER = 8
MONTHLY_GAP_DAYS = (22.0, 40.0)
QUARTERLY_GAP_DAYS, DAYS_PER_QUARTER = (80.0, 100.0), 91.25
LEAST_PAYMENTS = 3
PRIOR_PAYMENTS = 6.0
SPREAD = 0.23  # sd of days that tell something, as a share of the time between payments; 0.29 says nothing


@dataclass(frozen=True, slots=True)
class Lateness:
    """Days from due day to payment: `shift` + Exp(`spread`)."""

    shift: float = 0.0
    spread: float = USUAL_DAYS


USUAL = Lateness()


def read_lateness(rows: CashRows, due_days: dict[str, int]) -> Lateness:
    """Of customers who owe: `due_days` has the day that an open invoice of each is due, by name."""
    if not due_days or not len(rows.day):
        return USUAL
    owes = np.array([payee.counterparty in due_days for payee in rows.payees], dtype=bool)
    late: list[float] = []
    periods: list[float] = []
    for payee, mine in rows.by_payee((rows.amount > 0) & owes[rows.payee]):
        days, period = _late(rows.day[mine], due_days[rows.payees[payee].counterparty])
        late += days
        periods += [period] * len(days)
    if len(late) < LEAST_PAYMENTS or float(np.std(late)) > SPREAD * float(np.mean(periods)):
        return USUAL
    trust = len(late) / (len(late) + PRIOR_PAYMENTS)
    mean = trust * float(np.mean(late)) + (1 - trust) * USUAL_DAYS
    spread = trust * float(np.std(late)) + (1 - trust) * USUAL_DAYS
    return Lateness(shift=mean - spread, spread=spread)


def _late(day: NDArray[np.int64], due_day: int) -> tuple[list[float], float]:
    """Days from the due day to the payments of one customer, counted from the due day of each month or quarter,
    and the days between those; none of who pays at other times."""
    paid = np.unique(day)[-READ_PER_CUSTOMER:]
    if len(paid) < LEAST_PAYMENTS:
        return [], 0.0
    gap = float(np.median(np.diff(paid)))
    if MONTHLY_GAP_DAYS[0] <= gap <= MONTHLY_GAP_DAYS[1]:
        period, after = DAYS_PER_MONTH, day_of_month(paid) - int(day_of_month(np.array([due_day]))[0])
    elif QUARTERLY_GAP_DAYS[0] <= gap <= QUARTERLY_GAP_DAYS[1]:
        period, after = DAYS_PER_QUARTER, paid - due_day
    else:
        return [], 0.0
    late: list[float] = ((after + EARLY_DAYS) % period - EARLY_DAYS).tolist()
    return late, period
