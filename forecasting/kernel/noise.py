"""Daily noise: the day's sd times a shock, summed from the start of each month step.

Shocks are kept as running sums. A month of one sd is then a difference of two of them; a month whose sd changes
from day to day is a small matrix product (summation by parts).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.calendar import MonthSteps
from forecasting.kernel.shocks import WORST_NOISE_GRID_DAYS, Shocks


@dataclass(frozen=True, slots=True, eq=False)
class MonthlyNoise:
    """The noise of every month step, for blocks of paths start .. stop - 1.

    Attributes:
        highest_sd: float32 [steps], zero for an empty step.
        weights: per step, float32 [days, days + 1] that turns running sums of shocks (from the day before the step
            on) into running sums of noise; None where one sd serves all days.
    """

    steps: MonthSteps
    shocks: Shocks
    highest_sd: NDArray[np.float32]
    weights: tuple[NDArray[np.float32] | None, ...]

    def totals(self, *, start: int, stop: int) -> NDArray[np.float32]:
        """float32 [steps, paths]: sum of each month's noise."""
        running = self.shocks.running_noise[:, start:stop]
        totals = running[self.steps.stops]
        totals -= running[self.steps.starts]
        totals *= self.highest_sd[:, None]
        for step, weights in enumerate(self.weights):
            if weights is not None:
                np.matmul(
                    weights[-1], running[self.steps.starts[step] : self.steps.stops[step] + 1], out=totals[step]
                )
        return totals

    def worst(self, *, start: int, stop: int) -> NDArray[np.float32]:
        """float32 [steps, paths], zero or less: a bound of how far each month's noise can fall."""
        running = self.shocks.worst_noise[:, start:stop]
        worst = running[-(-self.steps.stops // WORST_NOISE_GRID_DAYS)]
        worst -= running[self.steps.starts // WORST_NOISE_GRID_DAYS]
        worst *= self.highest_sd[:, None]
        return worst

    def day_by_day(self, *, step: int, start: int, stop: int, paths: NDArray[np.int64]) -> NDArray[np.float32]:
        """float32 [days, chosen paths]: running sum within the step; `paths` are counted from `start`."""
        first, last = int(self.steps.starts[step]), int(self.steps.stops[step])
        running = self.shocks.running_noise[first : last + 1, start:stop]
        weights = self.weights[step]
        if weights is not None:
            return np.asarray(np.matmul(weights, running[:, paths]))
        noise = running[1:, paths]
        noise -= running[0, paths]
        noise *= self.highest_sd[step]
        return noise


def monthly_noise(*, sd_per_day: NDArray[np.float64], steps: MonthSteps, shocks: Shocks) -> MonthlyNoise:
    """Cut the daily sd, float64 [horizon], into month steps."""
    months = [sd_per_day[start:stop] for start, stop in zip(steps.starts, steps.stops, strict=True)]
    return MonthlyNoise(
        steps=steps,
        shocks=shocks,
        highest_sd=np.array([sd.max(initial=0.0) for sd in months], np.float32),
        weights=tuple(None if (sd == sd[:1]).all() else _running_sum_weights(sd) for sd in months),
    )


def _running_sum_weights(sd: NDArray[np.float64]) -> NDArray[np.float32]:
    """float32 [n, n + 1]: row d sums sd x shock over days 0 .. d, in terms of the running sums of shocks."""
    flows = np.tri(sd.shape[0]) * sd
    weights = np.zeros((sd.shape[0], sd.shape[0] + 1))
    weights[:, 1:] += flows
    weights[:, :-1] -= flows
    return weights.astype(np.float32)
