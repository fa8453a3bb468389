"""Income less the costs and taxes that follow it: one level moves all."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.drivers.contribution import Setting
from forecasting.fit.revenue import FittedRevenue

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class NetIncome:
    """float64 [horizon] of income less costs, and how uncertain the costs' shares are."""

    daily: Floats
    variance_per_day: float
    persistent_sd: float


def less_costs(daily: Floats, income: FittedRevenue, setting: Setting) -> NetIncome:
    """Take the company's followed costs off an income's expectation."""
    variance = persistent = 0.0
    for cost in setting.company.costs:
        paid = cost.expected(income, first_day=setting.first_day, days=setting.horizon_days)
        daily = daily - paid
        variance += cost.variance_per_day
        persistent = float(np.hypot(persistent, cost.share_sd * float(paid.mean())))
    for tax in setting.company.sales_taxes:
        due = setting.per_day(tax.day, tax.expected(income, first_day=setting.first_day))
        daily = daily - due
        mean = float(due.mean())
        persistent = float(np.hypot(persistent, tax.share_sd / np.sqrt(tax.payments) * mean))
    return NetIncome(daily=daily, variance_per_day=variance, persistent_sd=persistent)
