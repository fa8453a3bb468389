"""Burn per day: what leaves, net of what comes in, funding apart."""

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.arrivals import Arrivals
from forecasting.kernel.outcome import Burn

# A quarter: long enough for every monthly and most quarterly payments, short enough to be "now".
BURN_WINDOW_DAYS = 91


def daily_burn(*, balances: NDArray[np.float32], opening_balance: float, funding: Arrivals) -> NDArray[np.float32]:
    """float32 [window, paths] of net outflow before funding, from closing balances [days, paths]."""
    window, paths = min(BURN_WINDOW_DAYS, balances.shape[0]), balances.shape[1]
    burn = np.empty((window, paths), np.float32)
    burn[0] = np.float32(opening_balance) - balances[0]
    np.subtract(balances[: window - 1], balances[1:window], out=burn[1:])
    seen = (funding.paths < paths) & (funding.day_indexes < window)
    np.add.at(burn, (funding.day_indexes[seen], funding.paths[seen]), funding.amounts[seen].astype(np.float32))
    return burn


def burn_of(burn: NDArray[np.float32]) -> Burn:
    """Mean and spread of daily burn float32 [window, paths]."""
    variance_by_day = burn.var(axis=1, dtype=np.float64)
    return Burn(
        mean_per_day=float(burn.mean(dtype=np.float64)),
        std_per_day=float(np.sqrt(variance_by_day.mean())),
        window_days=burn.shape[0],
    )
