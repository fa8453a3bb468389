"""Bands of the balance: quantiles across paths, day by day."""

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.outcome import Bands, LowestPoint
from forecasting.kernel.path_blocks import in_pieces

_PERCENTS = (5, 25, 50, 75, 95)
_DAYS_AT_ONCE = 46


def bands_of(balances: NDArray[np.float32]) -> Bands:
    """Bands of closing balances, float32 [days, paths], by the inverted CDF."""
    days, paths = balances.shape
    ranks = [(percent * paths + 99) // 100 - 1 for percent in _PERCENTS]
    lines = np.empty((len(ranks), days))

    def draw(start: int, stop: int) -> None:
        # Sorting a float32 row is vectorised in NumPy, and faster than partitioning it at five places.
        lines[:, start:stop] = np.sort(balances[start:stop], axis=1)[:, ranks].T

    in_pieces(draw, count=days, size=_DAYS_AT_ONCE)
    return Bands(np.arange(1, days + 1, dtype=np.int32), *lines)


def lowest_point(bands: Bands) -> LowestPoint:
    """Where the median is lowest, the first day of it."""
    n = int(bands.p50.argmin())
    return LowestPoint(day=int(bands.days[n]), balance=float(bands.p50[n]))
