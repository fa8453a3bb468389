"""Daily noise: the day's sd times a shock, summed from the start of each month step.

Shocks are kept as running sums. A month of one sd is then a difference of two rows; a month whose sd changes from
day to day is a small matrix product (summation by parts).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.calendar import MonthSteps
from forecasting.kernel.shocks import WORST_NOISE_GRID_DAYS, Shocks


@dataclass(frozen=True, slots=True, eq=False)
class MonthlyNoise:
    """The noise of every month step, the same for all paths.

    Attributes:
        highest_sd: float32 [steps], zero for an empty step.
        weights: per step, float32 [days, days + 1] for running sums of shocks; None where one sd serves all days.
    """

    steps: MonthSteps
    shocks: Shocks
    highest_sd: NDArray[np.float32]
    weights: tuple[NDArray[np.float32] | None, ...]

    @property
    def is_silent(self) -> bool:
        return not self.highest_sd.any()

    def totals(self, *, start: int, stop: int) -> NDArray[np.float32]:
        """float32 [steps, paths]: sum of each month's noise on paths start .. stop - 1."""
        running = self.shocks.cumulative_noise[:, start:stop]
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

    def running(self, *, step: int, paths: NDArray[np.int64]) -> NDArray[np.float32]:
        """float32 [days, chosen paths]: running sum of one month's noise; `paths` among all paths."""
        first, last = int(self.steps.starts[step]), int(self.steps.stops[step])
        weights = self.weights[step]
        if weights is not None:
            return np.asarray(np.matmul(weights, self.shocks.cumulative_noise[first : last + 1][:, paths]))
        noise = self.shocks.cumulative_noise[first + 1 : last + 1][:, paths]
        noise -= self.shocks.cumulative_noise[first, paths]
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
    """float32 [n, n + 1]: sums of sd x shock, as weights of the running sums of shocks."""
    n = sd.shape[0]
    weights = np.zeros((n, n + 1))
    weights[:, 1:] += np.tri(n) * sd
    weights[:, :-1] -= np.tri(n) * sd
    return weights.astype(np.float32)
