"""Burn per day: what leaves, net of what comes in, funding apart."""

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.outcome import Burn

# A quarter: long enough for every monthly and most quarterly payments, short enough to be "now".
BURN_WINDOW_DAYS = 91


def burn_of(flows: NDArray[np.float32]) -> Burn:
    """Mean and spread of burn, from net flows before funding, float32 [days of the window, paths]."""
    mean_by_day = flows.mean(axis=1, dtype=np.float64)
    off_by = flows - mean_by_day[:, None].astype(np.float32)
    with np.errstate(over="ignore"):
        variance = float(np.vdot(off_by, off_by)) / off_by.size
    if not np.isfinite(variance):  # squares of float32 end at amounts of 1e19
        variance = float(np.square(off_by, dtype=np.float64).mean())
    return Burn(
        mean_per_day=-float(mean_by_day.mean()),
        std_per_day=float(np.sqrt(variance)),
        window_days=flows.shape[0],
    )
