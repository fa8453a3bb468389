"""Income less the costs and taxes that follow it: one level moves all."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.drivers.contribution import Setting
from forecasting.fit.revenue import FittedRevenue

Floats = NDArray[np.float64]

USUAL_RUNWAY_DAYS = 120


@dataclass(frozen=True, slots=True)
class NetIncome:
    """Income less costs, and how uncertain the costs' shares are.

    Attributes:
        daily: float64 [horizon], of income to come.
        owed: float64 [horizon], what is still to be paid of income that came, positive.
        kept_variance: of chance swings of income, the share that no cost takes away again within a runway.
    """

    daily: Floats
    owed: Floats
    kept_variance: float
    variance_per_day: float
    persistent_sd: float


def less_costs(daily: Floats, income: FittedRevenue, setting: Setting) -> NetIncome:
    """Take the company's followed costs off an income's expectation."""
    variance = persistent = 0.0
    owed, kept, held_days = np.zeros(setting.horizon_days), 1.0, 0
    for cost in setting.company.costs:
        paid = cost.expected(income, first_day=setting.first_day, days=setting.horizon_days)
        daily = daily - paid
        if cost.held is not None:
            owed += cost.certain(first_day=setting.first_day, days=setting.horizon_days)
            kept, held_days = max(kept - cost.share, 0.0), max(held_days, cost.held.days + cost.gap_days)
        variance += cost.variance_per_day
        persistent = float(np.hypot(persistent, cost.share_sd * float(paid.mean())))
    for tax in setting.company.sales_taxes:
        due = setting.per_day(tax.day, tax.expected(income, first_day=setting.first_day))
        daily = daily - due
        mean = float(due.mean())
        persistent = float(np.hypot(persistent, tax.share_sd / np.sqrt(tax.payments) * mean))
    # What came lately is still here whole.
    here = min(1.0, held_days / USUAL_RUNWAY_DAYS)
    return NetIncome(
        daily=daily,
        owed=owed,
        kept_variance=here + (1.0 - here) * kept**2,
        variance_per_day=variance,
        persistent_sd=persistent,
    )
