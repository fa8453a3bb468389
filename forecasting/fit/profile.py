"""Weekday profiles: which days of the week money prefers."""

import numpy as np
from numpy.typing import NDArray

from forecasting.fit.calendar import day_of_week

PRIOR_WEEKS = 2.0  # as many weeks without any preference are mixed in, so that a young company has a mild profile


def weekday_profile(
    *, day: NDArray[np.int64], amount: NDArray[np.float64], as_of_day: int, days: int
) -> NDArray[np.float64]:
    """float64 [7], mean 1, Monday first: the share of the last `days` days' money that each weekday saw.

    Amounts of the other sign are ignored where they turn a weekday around.
    """
    recent = (day > as_of_day - days) & (day <= as_of_day)
    if not recent.any():
        return np.ones(7)
    weeks = max(1.0, min(days, as_of_day - int(day[recent][0]) + 1) / 7)
    total = np.bincount(day_of_week(day[recent]), weights=amount[recent], minlength=7)
    mean = total.sum() / 7
    if mean == 0.0:
        return np.ones(7)
    profile = np.maximum(total / mean, 0.0)
    profile = (weeks * profile + PRIOR_WEEKS) / (weeks + PRIOR_WEEKS)
    normal: NDArray[np.float64] = profile / profile.mean()
    return normal


def spread(*, profile: NDArray[np.float64], first_day: int, days: int) -> NDArray[np.float64]:
    """float64 [days]: the profile's factor of each day from `first_day` on."""
    return profile[day_of_week(np.arange(first_day, first_day + days))]
