"""Unearned revenue: what customers have paid for months that are still to be delivered."""

from dataclasses import dataclass
from datetime import timedelta

from forecasting.fit.history import CompanyHistory, base_rates

DAYS_PER_TERM_MONTH = 365 / 12


@dataclass(frozen=True, slots=True)
class UnearnedContract:
    """The unearned part of one payment in base currency, earned evenly over `days_left` days from tomorrow."""

    customer: str
    amount: float
    days_left: int


def unearned(history: CompanyHistory) -> tuple[UnearnedContract, ...]:
    """Contracts whose term is not over on the as-of date; delivery starts on the day of payment."""
    rates = base_rates(history)
    found = []
    for receipt in history.flows.contracts:
        if not receipt.deferred or receipt.day > history.as_of or receipt.term_months <= 0:
            continue
        term_days = max(1, round(receipt.term_months * DAYS_PER_TERM_MONTH))
        days_left = (receipt.day + timedelta(days=term_days) - history.as_of).days - 1
        if days_left > 0:
            amount = float(receipt.amount) * rates.get(receipt.currency, 0.0) * days_left / term_days
            found.append(UnearnedContract(customer=receipt.customer, amount=amount, days_left=days_left))
    return tuple(found)
