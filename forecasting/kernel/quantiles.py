"""Quantiles of the runway by the inverted CDF: the smallest day that a share q of the paths has reached."""

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.dispersion import ranks
from forecasting.kernel.outcome import RunwayQuantile

QUANTILE_LEVELS = np.arange(1, 100) / 100.0


def quantile_days(
    *, runway_days: NDArray[np.int32], horizon_days: int, dispersion: float = 1.0
) -> NDArray[np.int32]:
    """The 1 % .. 99 % quantiles as int32 [99]; `horizon_days + 1` is beyond the horizon.

    A day count has at most horizon + 1 values, so counting them is exact and cheaper than sorting paths.
    """
    reached = np.cumsum(np.bincount(runway_days, minlength=horizon_days + 2))
    wanted = ranks(np.arange(1, 100), count=runway_days.shape[0], dispersion=dispersion)
    return np.searchsorted(reached, wanted, side="left").astype(np.int32)


def runway_quantile(*, quantile_days: NDArray[np.int32], percent: int, horizon_days: int) -> RunwayQuantile:
    """One of the 99 quantiles as a figure: capped at the horizon, and saying so."""
    days = int(quantile_days[percent - 1])
    return RunwayQuantile(days=min(days, horizon_days), beyond_horizon=days > horizon_days)


def is_determined(*, p5: RunwayQuantile, p50: RunwayQuantile, p95: RunwayQuantile) -> bool:
    """Whether p50 may be the message: p95 within the horizon, and p95 - p5 at most half of p50."""
    return not p95.beyond_horizon and (p95.days - p5.days) * 2 <= p50.days
