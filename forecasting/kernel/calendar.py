"""Month steps: levels move once a month, on the company's calendar."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

MEAN_MONTH_DAYS = 30.4
# At a month end the as-of month has no day left, yet its step keeps its shocks: the walk needs a time for it.
EMPTY_STEP_MONTHS = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class MonthSteps:
    """The horizon cut at the first of each month. Step 0 is what is left of the as-of date's month.

    Attributes:
        starts: int64 [steps], index of the step's first day (index 0 is day 1).
        stops: int64 [steps], one past its last day; equal to `starts` when step 0 is empty.
        months_ahead: float64 [steps], tau: mean of t / 30.4 over the step's days.
        step_of_day: int64 [horizon].
        days_in_month: int64 [steps], of the calendar month (the step may be shorter).
    """

    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    months_ahead: NDArray[np.float64]
    step_of_day: NDArray[np.int64]
    days_in_month: NDArray[np.int64]

    @property
    def days(self) -> int:
        """The horizon."""
        return int(self.step_of_day.shape[0])

    @property
    def count(self) -> int:
        return int(self.starts.shape[0])

    def day_index(self, *, step: int, day_of_month: int) -> int:
        """Index of a day of month in that step, the last of the month when it has no such day.

        May lie before `starts[step]` in step 0, or at or after `stops[step]` in the last step.
        """
        day = min(day_of_month, int(self.days_in_month[step]))
        if step == 0:
            return int(self.stops[0]) - int(self.days_in_month[0]) + day - 1
        return int(self.starts[step]) + day - 1


@lru_cache(maxsize=64)
def month_steps(*, as_of_day: int, horizon_days: int) -> MonthSteps:
    """Cut the days after `as_of_day` (days since 1970-01-01) into calendar months."""
    days = np.datetime64(as_of_day, "D") + np.arange(horizon_days + 1)
    months = days.astype("M8[M]").astype(np.int64)
    step_of_day = months[1:] - months[0]
    steps = np.arange(int(step_of_day[-1]) + 1)
    starts = np.searchsorted(step_of_day, steps, side="left")
    stops = np.searchsorted(step_of_day, steps, side="right")
    first_of_month = (months[0] + np.arange(steps.shape[0] + 1)).astype("M8[M]").astype("M8[D]").astype(np.int64)
    return MonthSteps(
        starts=starts,
        stops=stops,
        months_ahead=_months_ahead(starts=starts, stops=stops),
        step_of_day=step_of_day,
        days_in_month=np.diff(first_of_month),
    )


def _months_ahead(*, starts: NDArray[np.int64], stops: NDArray[np.int64]) -> NDArray[np.float64]:
    mean_day = (starts + 1 + stops) / 2.0  # mean of the day numbers starts + 1 .. stops
    months = mean_day / MEAN_MONTH_DAYS
    if stops[0] == starts[0]:
        # A horizon of two days after a month end lies within a tenth of a month: time must not run backwards.
        months[0] = min(EMPTY_STEP_MONTHS, months[1])
    return months
