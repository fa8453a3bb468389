"""Payments too many to draw one by one: the largest stay single, the others are together a flow.

Each single payment costs a simulation three rows of luck. Of a thousand small ones nobody sees which came: their
sum is as good as known, and what is left to doubt is a little of its level.
"""

from collections.abc import Sequence
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.inputs import DatedLump, Factor

Floats = NDArray[np.float64]

MOST_SINGLE_PAYMENTS = 64


def single_and_many(
    lumps: Sequence[DatedLump], *, name: str, horizon_days: int
) -> tuple[tuple[DatedLump, ...], tuple[Factor, ...]]:
    """The largest payments as they are, and a factor of this name for the rest, if there is one."""
    if len(lumps) <= MOST_SINGLE_PAYMENTS:
        return tuple(lumps), ()
    by_size = sorted(lumps, key=lambda lump: (-abs(lump.amount), lump.name))
    single = {lump.name for lump in by_size[:MOST_SINGLE_PAYMENTS]}
    many = [lump for lump in lumps if lump.name not in single]
    return tuple(lump for lump in lumps if lump.name in single), (_flow(many, name, horizon_days),)


def _flow(lumps: Sequence[DatedLump], name: str, horizon_days: int) -> Factor:
    """Expected cash of each day; the spread of the sum of yes and no becomes the level's."""
    daily, total, variance = np.zeros(horizon_days), 0.0, 0.0
    for lump in lumps:
        daily += lump.probability * lump.amount * _share_by_day(lump, horizon_days)
        total += lump.probability * lump.amount
        variance += lump.probability * (1 - lump.probability) * lump.amount**2
    return Factor(name=name, daily=daily, lvl=min(1.0, sqrt(variance) / max(abs(total), 1e-9)))


def _share_by_day(lump: DatedLump, horizon_days: int) -> Floats:
    """float64 [horizon]: the law of its day, given that it comes: either late by chance or around its day."""
    from scipy.special import ndtr  # not at the top: few companies have so many payments

    ends = np.arange(horizon_days + 1) + 0.5
    if lump.delay_exp_days > 0.0:
        late = np.maximum(ends - max(lump.day, 0.0), 0.0)
        come_by = -np.expm1(-late / lump.delay_exp_days)
    elif lump.delay_sd_days > 0.0:
        come_by = ndtr((ends - lump.day) / lump.delay_sd_days)
    else:
        come_by = np.where(ends > lump.day, 1.0, 0.0)
    come_by[0] = 0.0  # what was due before comes tomorrow
    shares: Floats = np.diff(come_by)
    return shares
