"""What the balance really was on the days before a forecast starts: its known end, rolled back."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecasting.fit.deferred import DAYS_PER_TERM_MONTH
from forecasting.fit.history import CompanyHistory, base_rates
from ledger.domain.flows import EVENT_TYPES, day_number

CHART_DAYS = 120
_CREDIT = EVENT_TYPES.index("credit")


@dataclass(frozen=True, slots=True, eq=False)
class ClosingBalances:
    """Closing balances of consecutive days, ending with the as-of date.

    Attributes:
        first_day: the day of the first balance.
        balances: float64 [n], base currency at the rates of the as-of date, so that a move of the exchange rate
            does not look like money spent.
    """

    first_day: date
    balances: NDArray[np.float64]

    def to_json(self) -> dict[str, Any]:
        return {
            "first_day": self.first_day.isoformat(),
            "balances": [f"{balance:.2f}" for balance in self.balances.tolist()],
        }


def bank_balances(history: CompanyHistory, *, days: int = CHART_DAYS) -> ClosingBalances:
    """Return the bank cash of up to `days` days before the as-of date and of that date itself.

    They begin no earlier than the day before the first flow: further back nothing is known.

    Raises:
        MissingInputs: a currency moves money but has no rate.
    """
    rates = base_rates(history)
    flows = history.flows
    last = day_number(history.as_of)
    final = sum(float(amount) * rates[code] for code, amount in history.cash.items() if amount)
    known = flows.day <= last
    span = min(days, last - int(flows.day[known].min()) + 1) if known.any() else 0
    first = last - span
    rate_of = np.array([rates.get(code, 0.0) for code in flows.currencies], dtype=np.float64)
    moves = known & (flows.day > first) & (flows.event_type != _CREDIT)
    moved = np.bincount(
        flows.day[moves] - first, weights=flows.amount[moves] * rate_of[flows.currency[moves]], minlength=span + 1
    )
    # The balance at the end of a day is the final one less everything that moved after that day.
    moved_after = moved.sum() - np.cumsum(moved)
    return ClosingBalances(first_day=history.as_of - timedelta(days=span), balances=final - moved_after)


def free_balances(history: CompanyHistory, *, bank: ClosingBalances, opening: Decimal) -> ClosingBalances:
    """Return the bank balances less what customers had paid for and not received, or deposited, by each day.

    What the ledger states goes before what terms of contracts let guess. Further back than it states anything, as
    much is owed as on its first day.

    Args:
        opening: the forecast's own opening balance on the free basis, which becomes the last day's. It leaves out
            withheld payroll tax as well, which on earlier days came and went within a week.
    """
    rates = base_rates(history)
    first = day_number(bank.first_day)
    day = np.arange(first, first + bank.balances.size)
    balances = bank.balances.copy()
    stated = history.liabilities
    if stated is not None:
        known = np.array([float(owed) for owed in stated.owed_before[-balances.size :]])
        balances -= np.pad(known, (balances.size - known.size, 0), mode="edge")
    guessed = history.flows.contracts if stated is None or stated.release is None else ()
    for receipt in guessed:
        if not receipt.deferred or receipt.term_months <= 0:
            continue
        paid = day_number(receipt.day)
        term_days = max(1, round(receipt.term_months * DAYS_PER_TERM_MONTH))
        days_left = np.clip(paid + term_days - day - 1, 0, None) * (day >= paid)
        balances -= float(receipt.amount) * rates.get(receipt.currency, 0.0) * days_left / term_days
    balances[-1] = float(opening)
    return ClosingBalances(first_day=bank.first_day, balances=balances)
