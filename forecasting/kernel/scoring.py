"""How good forecasts of a runway were, once the day is known.

Days are censored at horizon + 1, on both sides: a forecast beyond the horizon and a truth beyond it agree.
Every figure takes the 99 quantiles of each forecast, not a fitted curve.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.quantiles import QUANTILE_LEVELS


@dataclass(frozen=True, slots=True)
class Coverage:
    """Where truths fell; shares of all truths that add up to one."""

    below_p5: float
    inside: float
    above_p95: float


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Forecasts that gave about the same probability, and how often it came true."""

    mean_forecast: float
    frequency: float
    count: int


def crps_days(
    *, quantile_days: NDArray[np.integer], truth_days: NDArray[np.integer], horizon_days: int
) -> NDArray[np.float64]:
    """Continuous ranked probability score of one forecast against each truth, in days; float64 [truths].

    Twice the pinball loss, averaged over the levels 1 % .. 99 %. A point forecast (all quantiles equal) scores its
    absolute error.

    Args:
        quantile_days: [99], horizon + 1 for beyond.
        truth_days: [truths], horizon + 1 (or more) for beyond.
    """
    return np.asarray(
        2.0
        * pinball_days(quantile_days=quantile_days, truth_days=truth_days, horizon_days=horizon_days).mean(axis=1)
    )


def pinball_days(
    *, quantile_days: NDArray[np.integer], truth_days: NDArray[np.integer], horizon_days: int
) -> NDArray[np.float64]:
    """Pinball loss at each level; float64 [truths, 99]."""
    quantiles = censored(quantile_days, horizon_days=horizon_days)[None, :]
    short = censored(truth_days, horizon_days=horizon_days)[:, None] - quantiles
    return np.maximum(QUANTILE_LEVELS * short, (QUANTILE_LEVELS - 1.0) * short)


def error_days(*, p50_days: int, truth_days: NDArray[np.integer], horizon_days: int) -> NDArray[np.float64]:
    """|p50 - truth| in days, both censored; float64 [truths]. `p50_days` is horizon + 1 when beyond."""
    return np.abs(min(p50_days, horizon_days + 1) - censored(truth_days, horizon_days=horizon_days))


def coverage(
    *,
    p5_days: NDArray[np.integer],
    p95_days: NDArray[np.integer],
    truth_days: NDArray[np.integer],
    horizon_days: int,
) -> Coverage:
    """Shares of truths below p5, within [p5, p95] and above p95; the three arrays pair up."""
    low, high, truth = (censored(days, horizon_days=horizon_days) for days in (p5_days, p95_days, truth_days))
    below, above = float(np.mean(truth < low)), float(np.mean(truth > high))
    return Coverage(below_p5=below, inside=1.0 - below - above, above_p95=above)


def reliability(
    *, probabilities: NDArray[np.float64], came_true: NDArray[np.bool_], bins: int = 10
) -> tuple[ReliabilityBin, ...]:
    """Forecast probabilities in equally wide bins against the frequency in each; empty bins are left out."""
    place = np.minimum((probabilities * bins).astype(np.int64), bins - 1)
    return tuple(
        ReliabilityBin(
            mean_forecast=float(probabilities[place == n].mean()),
            frequency=float(came_true[place == n].mean()),
            count=int(np.count_nonzero(place == n)),
        )
        for n in range(bins)
        if (place == n).any()
    )


def largest_reliability_gap(bins: tuple[ReliabilityBin, ...], *, least_count: int = 1) -> float:
    """The largest |forecast - frequency| among bins of at least `least_count`; 0.0 when there is none."""
    return max((abs(b.mean_forecast - b.frequency) for b in bins if b.count >= least_count), default=0.0)


def censored(days: NDArray[np.integer], *, horizon_days: int) -> NDArray[np.float64]:
    """Days as float64, everything past the horizon being horizon + 1."""
    return np.minimum(np.asarray(days, dtype=np.float64), horizon_days + 1.0)
