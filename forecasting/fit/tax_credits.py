"""What a tax office pays back once a year: credits for research, offsets, refunds of the year's tax.

A start-up that was paid one has research to claim again. It comes in one sum about a year after the last one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.fit.cash_rows import CashRows
from forecasting.fit.history import CompanyHistory
from forecasting.fit.role import SALES_TAX_WORDS, TAX_WORDS, Role, has_role, words_of
from ledger.domain.flows import day_number

YEAR_DAYS = 365
LONGEST_WAIT_DAYS = 120  # after a year: what has not come by then was not claimed
LEAST_APART_DAYS = 240  # who is refunded more often is refunded by the period, not for the year
AGAIN_SEEN_ONCE, AGAIN_SEEN_TWICE = 0.65, 0.85
LISTED_NEAR_DAYS = 180


@dataclass(frozen=True, slots=True)
class YearlyTaxCredit:
    """One that may come again: `amount` in base currency, on `day` or some weeks around it."""

    payee: str
    day: int
    amount: float
    probability: float


def fit_tax_credits(
    rows: CashRows, history: CompanyHistory
) -> tuple[tuple[YearlyTaxCredit, ...], NDArray[np.bool_]]:
    """The credits to come within a year, and which receipts they explain. What the plan lists comes as listed."""
    explained = np.zeros(len(rows.day), dtype=bool)
    received = has_role(rows.role, Role.OTHER, Role.GRANT) & (rows.amount > 0)
    found = []
    for payee, mine in rows.by_payee(received):
        name = rows.payees[payee]
        words = words_of(name.category) | words_of(name.counterparty)
        if not words & TAX_WORDS or words & SALES_TAX_WORDS:
            continue
        day = np.unique(rows.day[mine])
        if (np.diff(day) < LEAST_APART_DAYS).any():
            continue
        explained[mine] = True
        last = int(day[-1])
        due = last + YEAR_DAYS
        if due < rows.as_of_day - LONGEST_WAIT_DAYS or _is_listed(name.counterparty, due, history):
            continue
        found.append(
            YearlyTaxCredit(
                payee=name.counterparty or name.category,
                day=max(due, rows.as_of_day + 1),
                amount=float(rows.amount[mine][rows.day[mine] == last].sum()),
                probability=AGAIN_SEEN_ONCE if len(day) == 1 else AGAIN_SEEN_TWICE,
            )
        )
    return tuple(found), explained


def _is_listed(payee: str, due: int, history: CompanyHistory) -> bool:
    """Whether the plan knows of this year's: an open claim on the payee, or money that comes for a tax."""
    days = [day_number(owed.due) for owed in history.plan.open_receivables if owed.customer == payee]
    days += [
        day_number(tranche.date) for tranche in history.plan.tranches if words_of(tranche.milestone) & TAX_WORDS
    ]
    return any(abs(day - due) <= LISTED_NEAR_DAYS for day in days)
