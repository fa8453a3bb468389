"""Factor levels: how far a stream of cash drifts from what was expected, month by month.

    L(j) = exp(lvl e1 + d(tau_j) (g + gsd e2) + rw W_j - rw^2 tau_j / 4)

with the exponent clipped to +-3. W is a Brownian motion over the tau_j, so its steps are
sqrt(tau_j - tau_(j-1)) z_j. Paths are walked in `walk.py`; here is what they share.
"""

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.inputs import Factor

DAMPING_PER_MONTH = 0.97
LARGEST_EXPONENT = 3.0
# Rows of a factor's shocks: e1, e2, then one per month step.
SHOCK_ROWS_BEFORE_STEPS = 2


def is_certain(factor: Factor) -> bool:
    """Whether the level is one on every path: no shocks are needed, `daily` is what happens."""
    return factor.lvl == 0.0 and factor.g == 0.0 and factor.gsd == 0.0 and factor.rw == 0.0


def damped_months(months_ahead: NDArray[np.float64]) -> NDArray[np.float64]:
    """d(tau) = (1 - 0.97^tau) / (1 - 0.97): months of trend that are left after damping."""
    return (1.0 - DAMPING_PER_MONTH**months_ahead) / (1.0 - DAMPING_PER_MONTH)


def expected_levels(*, factor: Factor, months_ahead: NDArray[np.float64]) -> NDArray[np.float64]:
    """float64 [steps]: mean of L(j), as if the exponent were not clipped (it is beyond 3 on next to no path)."""
    damped = damped_months(months_ahead)
    walk_variance = factor.rw**2 * months_ahead
    variance = factor.lvl**2 + (damped * factor.gsd) ** 2 + walk_variance
    return np.asarray(np.exp(damped * factor.g - walk_variance / 4.0 + variance / 2.0))
