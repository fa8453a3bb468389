"""Stretching or narrowing a forecast about its median, by one figure that a track record supports.

With dispersion s the quantile at level q is read at level Phi(s * Phi^-1(q)) of the paths, and a probability P
becomes Phi(Phi^-1(P) / s). One map serves days, balances and probabilities, so they keep agreeing; the median
stays, and what lies beyond the horizon needs no invented day. It is the recalibration of V. Kuleshov, N. Fenner,
S. Ermon, "Accurate Uncertainties for Deep Learning Using Calibrated Regression" (ICML 2018), with a map of one
parameter.
"""

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

NORMAL = NormalDist()
NARROWEST, WIDEST = 0.5, 3.0


def ranks(percents: NDArray[np.int64], *, count: int, dispersion: float) -> NDArray[np.int64]:
    """Which of `count` ascending values is each percent's quantile (inverted CDF), counted from 1.

    Args:
        percents: whole numbers, 1 .. 99.
    """
    if dispersion == 1.0:
        # Integer arithmetic: ceil(0.29 * 100) in floats is 30.
        return (percents * count + 99) // 100
    levels = [NORMAL.cdf(dispersion * NORMAL.inv_cdf(int(percent) / 100.0)) for percent in percents]
    # A hair less, so that the median of an even number of paths is the same one as without a stretch.
    found = [math.ceil(level * count - 1e-6) for level in levels]
    return np.clip(np.array(found, dtype=np.int64), 1, count)


def stretched(probability: float, *, dispersion: float) -> float:
    """What a probability becomes; never certain and never impossible where it was neither."""
    if dispersion == 1.0 or not 0.0 < probability < 1.0:
        return probability
    return NORMAL.cdf(NORMAL.inv_cdf(probability) / dispersion)
