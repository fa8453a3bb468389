"""Small companies to simulate, written the way a person would describe them."""

from datetime import date

import numpy as np

from forecasting.kernel.inputs import Factor, ForecastInputs
from forecasting.kernel.shocks import Shocks, shocks_for

AS_OF = date(2026, 3, 10)


def epoch_day(day: date) -> int:
    return (day - date(1970, 1, 1)).days


def company(
    *,
    opening_balance: float,
    burn_per_day: float = 0.0,
    horizon_days: int = 365,
    as_of: date = AS_OF,
    **terms: object,
) -> ForecastInputs:
    """A company with a flat, certain burn and whatever else is given."""
    flat = np.full(horizon_days, -burn_per_day)
    defaults = {
        "factors": (Factor("burn", flat),) if burn_per_day else (),
        "fixed": np.zeros(horizon_days),
        "shock_sd_per_day": np.zeros(horizon_days),
        "persistent_sd": np.zeros(horizon_days),
    }
    return ForecastInputs(
        as_of_day=epoch_day(as_of),
        opening_balance=opening_balance,
        horizon_days=horizon_days,
        **{**defaults, **terms},
    )


def shocks(*, paths: int = 10_000, horizon_days: int = 365, seed: int = 42) -> Shocks:
    return shocks_for(seed=seed, paths=paths, horizon_days=horizon_days)
