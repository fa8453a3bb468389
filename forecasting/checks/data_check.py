"""A doubt about the data behind a forecast, in words of a finance person, with the rows it is about."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from forecasting.fit.cash_rows import CashRows
from forecasting.fit.company import FittedCompany
from forecasting.fit.history import CompanyHistory
from forecasting.fit.role import Role
from forecasting.outcome import RunwayCase

# None of these is burn: they move cash between accounts, or bring it in from investors, or are no cash at all.
NOT_BURN = (Role.TRANSFER, Role.FUNDING, Role.CLOUD_CREDIT)
MONTH_DAYS = 30.4
HALF_YEAR_DAYS = 182


@dataclass(frozen=True, slots=True)
class Feed:
    """One account as a source of data.

    Attributes:
        last_day: of its latest movement.
        usual_gap_days: how long it is quiet between days with movements; nine of ten gaps are no longer.
    """

    name: str
    last_day: date
    usual_gap_days: int


@dataclass(frozen=True, slots=True)
class CheckedCompany:
    """What a check may look at.

    Attributes:
        runway: as published.
        feeds: accounts that have a rhythm.
        doubts: (label of a driver, days by which the interval would be narrower without its doubt), largest first.
    """

    history: CompanyHistory
    fitted: FittedCompany
    runway: RunwayCase
    feeds: tuple[Feed, ...] = ()
    doubts: tuple[tuple[str, int], ...] = ()

    @property
    def rows(self) -> CashRows:
        """Everything known, in base currency."""
        return self.fitted.rows


@dataclass(frozen=True, slots=True)
class CheckedRows:
    """Which rows of the journal a doubt is about, as its page searches for them; '' means any.

    Attributes:
        month: a day of it.
        text: part of a counterparty or category.
    """

    month: date
    text: str = ""
    account: str = ""


@dataclass(frozen=True, slots=True)
class DataCheck:
    """Attributes:
    code: stable name of the kind of doubt.
    sentence: what is odd, amounts in base currency.
    advice: what to do, one sentence.
    since: first day of it.
    """

    code: str
    sentence: str
    advice: str
    since: date
    rows: CheckedRows


@dataclass(frozen=True, slots=True)
class Check:
    """One kind of doubt: its code is its module's name."""

    code: str
    find: Callable[[CheckedCompany], tuple[DataCheck, ...]]


def burn_rows(rows: CashRows) -> CashRows:
    """The rows that are burn, in or out."""
    return rows.where(~np.isin(rows.role, NOT_BURN))


def outflow_per_month(rows: CashRows) -> float:
    """What leaves in a month, positive: mean of the last half year, or of what there is of it."""
    days = min(HALF_YEAR_DAYS, rows.history_days)
    recent = burn_rows(rows.where(rows.day > rows.as_of_day - days))
    return -float(np.minimum(recent.amount, 0.0).sum()) / days * MONTH_DAYS


def day_of(number: int) -> date:
    """The calendar day of days since 1970-01-01."""
    return date.fromordinal(date(1970, 1, 1).toordinal() + number)


def amount_text(amount: float, currency: str) -> str:
    """12,300 EUR."""
    return f"{abs(amount):,.0f} {currency}"


def largest_payees(rows: CashRows, chosen: NDArray[np.bool_], *, limit: int) -> list[tuple[str, float]]:
    """(payee, sum) of the rows under a mask, the largest sum first, by counterparty or else category."""
    sums: dict[str, float] = {}
    payee, amount = rows.payee[chosen], rows.amount[chosen]
    totals = np.bincount(payee, weights=amount, minlength=len(rows.payees))
    for code in np.unique(payee).tolist():
        name = rows.payees[code].counterparty or rows.payees[code].category
        if name:
            sums[name] = sums.get(name, 0.0) + float(totals[code])
    return sorted(sums.items(), key=lambda entry: (-abs(entry[1]), entry[0]))[:limit]
