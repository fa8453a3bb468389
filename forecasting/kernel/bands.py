"""Bands of the balance: quantiles across paths, day by day."""

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.dispersion import ranks
from forecasting.kernel.outcome import Bands, LowestPoint

_PERCENTS = np.array([5, 25, 50, 75, 95])


def bands_of(sorted_balances: NDArray[np.float32], *, dispersion: float = 1.0) -> Bands:
    """Bands of closing balances, float32 [days, paths] with each day ascending, by the inverted CDF."""
    days, paths = sorted_balances.shape
    wanted = ranks(_PERCENTS, count=paths, dispersion=dispersion)
    lines = [sorted_balances[:, rank - 1].astype(np.float64) for rank in wanted.tolist()]
    return Bands(np.arange(1, days + 1, dtype=np.int32), *lines)


def lowest_point(bands: Bands) -> LowestPoint:
    """Where the median is lowest, the first day of it."""
    n = int(bands.p50.argmin())
    return LowestPoint(day=int(bands.days[n]), balance=float(bands.p50[n]))
