"""Daily noise: the day's sd times a shock, summed from the start of each month step.

Shocks are kept as running sums. A month of one sd is then a difference of two of them; a month whose sd changes
from day to day is a small matrix product (summation by parts).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.calendar import MonthSteps
from forecasting.kernel.shocks import WORST_NOISE_GRID_DAYS, Shocks

# Bounds are multiplied and added to in float32: a few of its roundings, relative to their own size.
ROUNDING = 2.0**-20


@dataclass(frozen=True, slots=True, eq=False)
class UnitMonths:
    """The running shocks seen month by month: noise of sd one. The same for every company of one calendar.

    Attributes:
        totals: float32 [steps, paths], sum of each month's shocks.
        lowest, highest: float32 [steps, paths], bounds of the running sum on the days of the month, counted
            from its start: the least and the greatest, a rounding further out. Zero for an empty step.
    """

    totals: NDArray[np.float32]
    lowest: NDArray[np.float32]
    highest: NDArray[np.float32]

    @property
    def nbytes(self) -> int:
        return self.totals.nbytes + self.lowest.nbytes + self.highest.nbytes


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
    unit: UnitMonths
    highest_sd: NDArray[np.float32]
    weights: tuple[NDArray[np.float32] | None, ...]

    def totals(self, *, start: int, stop: int) -> NDArray[np.float32]:
        """float32 [steps, paths]: sum of each month's noise."""
        totals = self.unit.totals[:, start:stop] * self.highest_sd[:, None]
        for step, weights in enumerate(self.weights):
            if weights is not None:
                running = self.shocks.running_noise[
                    self.steps.starts[step] : self.steps.stops[step] + 1, start:stop
                ]
                np.matmul(weights[-1], running, out=totals[step])
        return totals

    def worst(self, *, start: int, stop: int) -> NDArray[np.float32]:
        """float32 [steps, paths]: a bound of how low each month's noise stands on any of its days.

        Where one sd serves all days it is the lowest day itself, a rounding lower.
        """
        worst = self.unit.lowest[:, start:stop] * self.highest_sd[:, None]
        falls = self.shocks.worst_noise[:, start:stop]
        for step, weights in enumerate(self.weights):
            if weights is not None:
                last = -(-self.steps.stops[step] // WORST_NOISE_GRID_DAYS)
                np.subtract(falls[last], falls[self.steps.starts[step] // WORST_NOISE_GRID_DAYS], out=worst[step])
                worst[step] *= self.highest_sd[step]
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
        unit=shocks.derived(("noise by month", steps.key), lambda: _unit_months(steps=steps, shocks=shocks)),
        highest_sd=np.array([sd.max(initial=0.0) for sd in months], np.float32),
        weights=tuple(None if (sd == sd[:1]).all() else _running_sum_weights(sd) for sd in months),
    )


def _unit_months(*, steps: MonthSteps, shocks: Shocks) -> UnitMonths:
    running = shocks.running_noise
    lowest, highest = np.zeros((2, steps.count, shocks.paths), np.float32)
    for step, (first, last) in enumerate(zip(steps.starts, steps.stops, strict=True)):
        if last > first:
            month = running[first + 1 : last + 1]
            np.subtract(month.min(axis=0), running[first], out=lowest[step])
            np.subtract(month.max(axis=0), running[first], out=highest[step])
    lowest -= np.abs(lowest) * np.float32(ROUNDING)
    highest += np.abs(highest) * np.float32(ROUNDING)
    totals = running[steps.stops] - running[steps.starts]
    for array in (totals, lowest, highest):
        array.setflags(write=False)
    return UnitMonths(totals=totals, lowest=lowest, highest=highest)


def _running_sum_weights(sd: NDArray[np.float64]) -> NDArray[np.float32]:
    """float32 [n, n + 1]: row d sums sd x shock over days 0 .. d, in terms of the running sums of shocks."""
    flows = np.tri(sd.shape[0]) * sd
    weights = np.zeros((sd.shape[0], sd.shape[0] + 1))
    weights[:, 1:] += flows
    weights[:, :-1] -= flows
    return weights.astype(np.float32)
