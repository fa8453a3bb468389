"""Burn per day: what leaves, net of what comes in, funding apart."""

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.outcome import Burn

# A quarter: long enough for every monthly and most quarterly payments, short enough to be "now".
BURN_WINDOW_DAYS = 91


def burn_of(flows: NDArray[np.float32]) -> Burn:
    """Mean and spread of burn, from net flows before funding, float32 [paths, days of the window]."""
    mean_by_day = flows.mean(axis=0, dtype=np.float64)
    variance_by_day = np.square(flows - mean_by_day.astype(np.float32)).mean(axis=0, dtype=np.float64)
    return Burn(
        mean_per_day=-float(mean_by_day.mean()),
        std_per_day=float(np.sqrt(variance_by_day.mean())),
        window_days=flows.shape[1],
    )
