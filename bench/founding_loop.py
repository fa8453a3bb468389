"""The founding Monte Carlo as it was first described: one factor, one path at a time.

Normal daily burn, one tranche, one credit on a straight line, `np.where` for the first day without cash.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class FoundingCompany:
    """The example of the founding description; the tranche's date and chance, and the credit's end, are ours."""

    balance: float = 2_400_000.0
    burn_per_day: float = 14_200.0
    burn_sd_per_day: float = 2_800.0
    tranche: float = 1_500_000.0
    tranche_day: int = 120
    tranche_probability: float = 0.8
    tranche_delay_mean_days: float = 18.0
    tranche_delay_sd_days: float = 10.0
    credit: float = 92_000.0
    credit_days: int = 150


def founding_runway_days(
    company: FoundingCompany, *, simulations: int, horizon_days: int, seed: int
) -> NDArray[np.int32]:
    """int32 [simulations]: first day without cash, horizon + 1 when there is none."""
    rng = np.random.default_rng(seed)
    credit_per_day = np.where(
        np.arange(horizon_days) < company.credit_days, company.credit / company.credit_days, 0.0
    )
    shape = (company.tranche_delay_mean_days / company.tranche_delay_sd_days) ** 2
    scale = company.tranche_delay_mean_days / shape
    runway = np.full(simulations, horizon_days + 1, np.int32)
    for i in range(simulations):
        burn = rng.normal(company.burn_per_day, company.burn_sd_per_day, horizon_days)
        cash = company.balance - np.cumsum(burn - credit_per_day)
        if rng.random() < company.tranche_probability:
            arrival = company.tranche_day + round(rng.gamma(shape, scale))
            cash[arrival - 1 :] += company.tranche
        empty = np.where(cash <= 0.0)[0]
        if empty.size:
            runway[i] = empty[0] + 1
    return runway
