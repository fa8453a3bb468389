"""What a simulation says, in days and money; dates and words belong to the forecast.

Runway is the first day whose closing balance is zero or less, day 1 being the day after the as-of date.
`horizon_days + 1` stands for "not within the horizon" wherever an array of days appears.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.dispersion import stretched


@dataclass(frozen=True, slots=True)
class RunwayQuantile:
    """One quantile of the runway. Beyond the horizon, `days` is the horizon and the flag says so."""

    days: int
    beyond_horizon: bool


@dataclass(frozen=True, slots=True, eq=False)
class Bands:
    """Quantiles of the closing balance, day by day.

    Attributes:
        days: int32 [n], ascending.
        p5, p25, p50, p75, p95: float64 [n], balance in base currency.
    """

    days: NDArray[np.int32]
    p5: NDArray[np.float64]
    p25: NDArray[np.float64]
    p50: NDArray[np.float64]
    p75: NDArray[np.float64]
    p95: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Burn:
    """Net outflow per day before funding, positive when cash leaves.

    Attributes:
        mean_per_day: over paths and the days of the window.
        std_per_day: sd of one day's burn about that day's own expectation, so a payroll day that was
            expected to be dear does not count as variance.
        window_days: how many days from day 1 the two figures look at.
    """

    mean_per_day: float
    std_per_day: float
    window_days: int


@dataclass(frozen=True, slots=True)
class LowestPoint:
    """Where the median closing balance is lowest within the horizon; the first such day."""

    day: int
    balance: float


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """The answer of one simulation.

    Attributes:
        runway_days: int32 [paths], 1 .. horizon_days, or horizon_days + 1 when a path stays above zero.
        quantile_days: int32 [99], the 1 % .. 99 % quantiles (inverted CDF); horizon_days + 1 is beyond.
        determined: the horizon contains p95, and p95 - p5 is at most half of p50.
        turned: per tranche asked for, int32 [paths] as `runway_days`, had it come on the very paths on which it
            does not, and on no other.
        bands, burn, lowest: None when the simulation was asked for runway alone.
        dispersion: how far all of this is stretched about the median.
    """

    horizon_days: int
    runway_days: NDArray[np.int32]
    quantile_days: NDArray[np.int32]
    p5: RunwayQuantile
    p50: RunwayQuantile
    p95: RunwayQuantile
    determined: bool
    turned: Mapping[str, NDArray[np.int32]] = field(default_factory=dict)
    bands: Bands | None = None
    burn: Burn | None = None
    lowest: LowestPoint | None = None
    dispersion: float = 1.0

    @property
    def paths(self) -> int:
        return int(self.runway_days.shape[0])

    def probability_of_zero_by(self, *, day: int) -> float:
        """Share of paths that reach zero on or before `day` (1 <= day <= horizon_days), stretched like the rest.

        Raises:
            ValueError: for a day the simulation did not reach; nothing is known there.
        """
        if not 1 <= day <= self.horizon_days:
            raise ValueError(f"day: must be 1 to {self.horizon_days}, is {day}")
        share = float(np.count_nonzero(self.runway_days <= day) / self.paths)
        return stretched(share, dispersion=self.dispersion)
