"""Company taxes in instalments: last year's dates come again."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.fit.calendar import BusinessCalendar
from forecasting.fit.cash_rows import CashRows
from forecasting.fit.role import Role
from forecasting.fit.shrinkage import DAYS_PER_MONTH

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

YEAR_DAYS = 365
AMOUNTS_READ = 4
SAME_DATE_DAYS = 20
MOST_INSTALMENTS = 8
LONGEST_MONTHLY_GAP_DAYS = 40
UNKNOWN_LVL = 0.15


@dataclass(frozen=True, slots=True)
class FittedTaxes:
    """Instalments of one year ahead, in base currency, negative; later years repeat them.

    Attributes:
        day, amount: the next year's payments.
        lvl: sd of the log level.
        g: growth per month.
    """

    day: Ints
    amount: Floats
    lvl: float
    g: float


def fit_taxes(
    rows: CashRows, *, growth: float, explained: NDArray[np.bool_], calendar: BusinessCalendar
) -> tuple[FittedTaxes | None, NDArray[np.bool_]]:
    """Instalments from the payments of the last year; taxes paid too often to be instalments are left alone.

    Args:
        growth: per month, of what is taxed; past instalments are brought to the as-of date by it.
        explained: rows that have a model already.
    """
    tax = (rows.role == Role.TAX) & (rows.amount < 0) & ~explained
    explained = np.zeros(len(rows.day), dtype=bool)
    days: list[Ints] = []
    amounts: list[Floats] = []
    spreads: list[float] = []
    for payee in np.unique(rows.payee[tax]).tolist():
        mine = tax & (rows.payee == payee)
        day, inverse = np.unique(rows.day[mine], return_inverse=True)
        amount = np.bincount(inverse, weights=rows.amount[mine])
        year = day > rows.as_of_day - YEAR_DAYS
        if int(year.sum()) > MOST_INSTALMENTS or _comes_by_the_month(day):
            continue
        explained |= mine
        # What was due just before today a year ago may still be to come; what came already is not due twice.
        due = day[year] + YEAR_DAYS
        months = (rows.as_of_day - day[-AMOUNTS_READ:]) / DAYS_PER_MONTH
        size = amount[-AMOUNTS_READ:] * np.exp(growth * months)
        days.append(calendar.on_or_after(due))
        amounts.append(np.full(len(due), float(size.mean())))
        spreads.append(float(np.std(np.log(np.abs(size)))) if len(size) > 1 else UNKNOWN_LVL)
    if not days or not sum(len(day) for day in days):
        return None, explained
    return FittedTaxes(
        day=np.concatenate(days),
        amount=np.concatenate(amounts),
        lvl=min(0.5, max(0.05, max(spreads) / 2)),
        g=growth,
    ), explained


def _comes_by_the_month(day: Ints) -> bool:
    """Of a monthly tax young books hold few payments; as instalments they would pause for the rest of a year."""
    return len(day) >= 3 and float(np.median(np.diff(day[-AMOUNTS_READ:]))) <= LONGEST_MONTHLY_GAP_DAYS
