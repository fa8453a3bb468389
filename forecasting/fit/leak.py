"""The leak: how far the fit of streams and pool missed in the past, looked at from days whose future is known.

Detection forgets payees that vanished, while real companies replace them; so what is expected is biased towards
too little, by a factor that the company's own history tells.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.fit.looks import WINDOW_DAYS, Looks
from forecasting.fit.pool import IN, PoolHistory
from forecasting.fit.recurring import Occurrences

Floats = NDArray[np.float64]

PRIOR_WEIGHT = 0.5
CORRECTION_USED = 0.4
USUAL_MISS_SD = 0.15  # of a window, by chance
OVERLAP = 2.0  # windows share days, so they are fewer than they look
STANDS_OUT = 2.0  # error variances that a squared bias has to exceed before it counts
LEAST, MOST = 1.0, 1.5  # what vanished is often replaced by new payees; the reverse is chance
LEAST_SD, MOST_SD = 0.02, 0.6


@dataclass(frozen=True, slots=True)
class FittedLeak:
    """One direction: expected flows are multiplied by `correction`, known to within `sd` (relative)."""

    correction: float
    sd: float


def fit_leak(looks: Looks, known: PoolHistory, occurrences: Occurrences, *, direction: int) -> FittedLeak:
    """Compare what each past look would have expected with what came.

    Args:
        occurrences: of the streams of all looks, at least WINDOW_DAYS ahead.
    """
    past = len(looks.day) - 1
    if past < 1:
        return FittedLeak(correction=1.0, sd=0.0)
    window = np.minimum(WINDOW_DAYS, looks.day[0] - looks.day).astype(np.float64)
    expected = _from_streams(looks, occurrences, window, direction)
    expected += np.abs(known.mean_per_day() + known.lumps_per_day(looks.rows.amount)) * window
    actual = _actual(looks, window, direction)
    usable = (np.arange(past + 1) > 0) & (expected > 0) & (actual > 0)
    if not usable.any():
        return FittedLeak(correction=1.0, sd=0.0)
    x, w = np.log(actual[usable] / expected[usable]), window[usable] / WINDOW_DAYS
    n = float(w.sum())
    m = float((w * x).sum()) / (n + PRIOR_WEIGHT)
    v = float((w * (x - m) ** 2).sum()) / n
    by_chance = known.chance_variance_per_day(looks.rows.amount) * window / np.maximum(expected, 1e-9) ** 2
    # What the simulation draws day by day anyway must not count as an error of the level too.
    persistent = max(0.0, v - float((w * by_chance[usable]).sum()) / n)
    # Chance misses are no leak: a bias counts as far as it stands out of its own error (a James-Stein estimate).
    error = OVERLAP * (v + USUAL_MISS_SD**2) / n
    trusted = 1.0 - STANDS_OUT * error / m**2 if m**2 > STANDS_OUT * error else 0.0
    return FittedLeak(
        correction=float(np.clip(np.exp(CORRECTION_USED * trusted * m), LEAST, MOST)),
        sd=float(np.clip(np.sqrt(0.5 * persistent + persistent / (n + 0.5)), LEAST_SD, MOST_SD)),
    )


def _from_streams(looks: Looks, occurrences: Occurrences, window: Floats, direction: int) -> Floats:
    streams = looks.detection.streams
    at = streams.key[occurrences.stream] // looks.keys
    right = (occurrences.amount > 0) == (direction == IN)
    right &= occurrences.day <= looks.day[at] + window[at]
    # Without any occurrence bincount answers in integers.
    return np.bincount(at[right], weights=np.abs(occurrences.amount[right]), minlength=len(looks.day)).astype(
        float
    )


def _actual(looks: Looks, window: Floats, direction: int) -> Floats:
    rows = looks.rows
    right = rows.amount > 0 if direction == IN else rows.amount < 0
    ahead = rows.day[None, :] - looks.day[:, None]
    return (np.abs(rows.amount) * (right & (ahead > 0) & (ahead <= window[:, None]))).sum(axis=1)
