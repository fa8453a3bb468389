"""Bands of the balance: quantiles across paths, day by day."""

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.outcome import Bands, LowestPoint

_PERCENTS = (5, 25, 50, 75, 95)


def bands_of(sorted_balances: NDArray[np.float32]) -> Bands:
    """Bands of closing balances, float32 [days, paths] with each day ascending, by the inverted CDF."""
    days, paths = sorted_balances.shape
    lines = [sorted_balances[:, (percent * paths + 99) // 100 - 1].astype(np.float64) for percent in _PERCENTS]
    return Bands(np.arange(1, days + 1, dtype=np.int32), *lines)


def lowest_point(bands: Bands) -> LowestPoint:
    """Where the median is lowest, the first day of it."""
    n = int(bands.p50.argmin())
    return LowestPoint(day=int(bands.days[n]), balance=float(bands.p50[n]))
