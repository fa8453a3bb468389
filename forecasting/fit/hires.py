"""Planned hires: what somebody who is not on the payroll yet will add to it."""

from dataclasses import dataclass

from forecasting.fit.history import CompanyHistory, base_rates
from forecasting.fit.payroll import FittedPayroll
from ledger.domain.flows import day_number

NET_SHARE = 0.72
HAPPENS, HAPPENS_CONFIRMED = 0.92, 0.98
SLIPS_DAYS, SLIPS_CONFIRMED_DAYS = 14, 2
LVL = 0.12


@dataclass(frozen=True, slots=True)
class ExpectedHire:
    """Net pay per month in base currency, already weighed with the chance that the hire happens."""

    start_day: int
    net_per_month: float
    currency: str


def expected_hires(history: CompanyHistory, payrolls: tuple[FittedPayroll, ...]) -> tuple[ExpectedHire, ...]:
    """The plan's hires as a payroll will feel them: later than planned, and not all of them.

    Whoever was to start by the last run of a payroll in their currency is part of that run: plans keep their lines
    for a while, and nobody is paid twice.
    """
    rates = base_rates(history)
    paid_until: dict[str, int] = {}
    for payroll in payrolls:
        paid_until[payroll.currency] = max(paid_until.get(payroll.currency, 0), int(payroll.run_day[-1]))
    return tuple(
        ExpectedHire(
            start_day=day_number(hire.start) + (SLIPS_CONFIRMED_DAYS if hire.confirmed else SLIPS_DAYS),
            net_per_month=float(hire.monthly_gross)
            * rates[hire.currency]
            * NET_SHARE
            * (HAPPENS_CONFIRMED if hire.confirmed else HAPPENS),
            currency=hire.currency,
        )
        for hire in history.plan.planned_hires
        if day_number(hire.start) > paid_until.get(hire.currency, 0)
    )
