"""Daily noise: the day's sd times a shock, summed from the start of each month step.

Shocks are kept as running sums. A month of one sd is then a difference of two of them; a month whose sd changes
from day to day is a small matrix product (summation by parts).
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from forecasting.kernel.calendar import LONGEST_MONTH_DAYS, MonthSteps
from forecasting.kernel.shocks import WORST_NOISE_GRID_DAYS, Shocks


@dataclass(frozen=True, slots=True, eq=False)
class MonthlyNoise:
    """The noise of every month step, the same for all paths.

    Attributes:
        highest_sd: float32 [steps], zero for an empty step.
        weights: per step, float32 [32, 31] that turns running sums of shocks (from the day before the step
            on) into running sums of noise; None where one sd serves all days.
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
        running = self.shocks.running_noise[start:stop].T
        totals = running[self.steps.stops]
        totals -= running[self.steps.starts]
        totals *= self.highest_sd[:, None]
        for step, weights in enumerate(self.weights):
            if weights is not None:
                first, last = int(self.steps.starts[step]), int(self.steps.stops[step])
                np.matmul(
                    weights[: last - first + 1, last - first - 1], running[first : last + 1], out=totals[step]
                )
        return totals

    def worst(self, *, start: int, stop: int) -> NDArray[np.float32]:
        """float32 [steps, paths], zero or less: a bound of how far each month's noise can fall."""
        running = self.shocks.worst_noise[:, start:stop]
        worst = running[-(-self.steps.stops // WORST_NOISE_GRID_DAYS)]
        worst -= running[self.steps.starts // WORST_NOISE_GRID_DAYS]
        worst *= self.highest_sd[:, None]
        return worst

    def day_by_day(self, *, paths: NDArray[np.int64], edges: NDArray[np.int64]) -> NDArray[np.float32]:
        """float32 [pairs, 31]: running sum of noise within the step; pairs edges[j] .. edges[j + 1] are step j's.

        Columns past the end of a short step hold numbers without meaning.
        """
        steps = np.repeat(np.arange(self.steps.count), np.diff(edges))
        windows = sliding_window_view(self.shocks.running_noise, 1 + LONGEST_MONTH_DAYS, axis=1)
        running = windows[paths, self.steps.starts[steps]]
        noise = running[:, 1:] - running[:, :1]
        noise *= self.highest_sd[steps, None]
        for step, weights in enumerate(self.weights):
            if weights is not None and edges[step] < edges[step + 1]:
                pairs = slice(int(edges[step]), int(edges[step + 1]))
                np.matmul(running[pairs], weights, out=noise[pairs])
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
    """float32 [32, 31]: column d sums sd x shock over days 0 .. d, in terms of the running sums of shocks."""
    days = sd.shape[0]
    flows = np.triu(np.broadcast_to(sd[:, None], (days, days)))
    weights = np.zeros((1 + LONGEST_MONTH_DAYS, LONGEST_MONTH_DAYS), np.float64)
    weights[1 : days + 1, :days] += flows
    weights[:days, :days] -= flows
    return weights.astype(np.float32)
