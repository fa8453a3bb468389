"""A driver switched to its expectation: the same cash on average, day by day, and no doubt about it."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from forecasting.drivers.contribution import Contribution
from forecasting.kernel.calendar import MonthSteps
from forecasting.kernel.expected_lumps import expected_lumps
from forecasting.kernel.inputs import DatedLump, Factor, Tranche
from forecasting.kernel.levels import expected_levels
from forecasting.kernel.single_payments import arrival_day_cdf

Floats = NDArray[np.float64]


def at_expectation(contribution: Contribution, *, steps: MonthSteps) -> Contribution:
    """What a driver contributes, as certain flows; cloud usage keeps its grants and invoices, at its mean."""
    fixed = np.zeros(steps.days) if contribution.fixed is None else contribution.fixed.copy()
    for stream in contribution.lump_streams:
        fixed += expected_lumps(stream, days=steps.days)
    for lump in contribution.dated_lumps:
        fixed += _dated(lump, days=steps.days)
    for tranche in contribution.tranches:
        fixed += _tranche(tranche, days=steps.days)
    return Contribution(
        factors=tuple(_factor(factor, steps=steps) for factor in contribution.factors),
        opening=contribution.opening,
        fixed=fixed,
        cloud=tuple(replace(cloud, usage=_factor(cloud.usage, steps=steps)) for cloud in contribution.cloud),
    )


def _factor(factor: Factor, *, steps: MonthSteps) -> Factor:
    levels = expected_levels(factor=factor, months_ahead=steps.months_ahead)
    return Factor(name=factor.name, daily=factor.daily * levels[steps.step_of_day])


def _dated(lump: DatedLump, *, days: int) -> Floats:
    daily = np.zeros(days)
    day = max(1, round(max(lump.day, 0.0) + lump.delay_exp_days))
    if day <= days:
        daily[day - 1] = lump.probability * lump.amount
    return daily


def _tranche(tranche: Tranche, *, days: int) -> Floats:
    arrived = arrival_day_cdf(tranche=tranche, horizon_days=days)
    return np.asarray(tranche.probability * tranche.amount * np.diff(arrived, prepend=0.0))
