"""Single amounts on single days: lumps, receivables, tranches. Each law is drawn for all paths at once, and handed
out for a block of paths at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Arrivals:
    """Amounts that arrive on the paths of one block, in no particular order.

    Attributes:
        paths: int64 [n], 0 is the block's first path.
        day_indexes: int64 [n], 0 is day 1; always within the horizon.
        amounts: float64 [n], signed.
    """

    paths: NDArray[np.int64]
    day_indexes: NDArray[np.int64]
    amounts: NDArray[np.float64]

    def ordered_by_step(self, step_of_day: NDArray[np.int64], steps: int) -> "tuple[Arrivals, NDArray[np.int64]]":
        """The same arrivals month by month, and int64 [steps + 1]: step j's stand at edges[j] .. edges[j + 1]."""
        # Keys of one byte are sorted by counting; ten years of months fit.
        step = step_of_day[self.day_indexes].astype(np.uint8)
        order = np.argsort(step, kind="stable")
        edges = np.concatenate([[0], np.cumsum(np.bincount(step, minlength=steps))])
        return Arrivals(self.paths[order], self.day_indexes[order], self.amounts[order]), edges


class ArrivalLaw(Protocol):
    """When and how much, on every path."""

    def on_paths(self, start: int, stop: int) -> Arrivals:
        """The arrivals of paths start .. stop - 1, within the horizon."""


@dataclass(frozen=True, slots=True, eq=False)
class SingleArrival:
    """One amount, at most once per path.

    Attributes:
        day_indexes: int32 [paths]; `horizon_days` or later where it does not arrive in time.
    """

    day_indexes: NDArray[np.int32]
    amount: float
    horizon_days: int

    def on_paths(self, start: int, stop: int) -> Arrivals:
        days = self.day_indexes[start:stop]
        paths = np.flatnonzero(days < self.horizon_days)
        return Arrivals(paths, days[paths].astype(np.int64), np.full(paths.shape[0], self.amount))


def together(laws: Sequence[ArrivalLaw], *, start: int, stop: int) -> Arrivals:
    """All arrivals of several laws on one block of paths."""
    parts = [law.on_paths(start, stop) for law in laws]
    if not parts:
        none = np.empty(0, np.int64)
        return Arrivals(none, none, np.empty(0))
    return Arrivals(
        np.concatenate([part.paths for part in parts]),
        np.concatenate([part.day_indexes for part in parts]),
        np.concatenate([part.amounts for part in parts]),
    )
