"""Single amounts on single days: lumps, receivables, tranches. Each law is drawn for all paths at once, and handed
out for a block of paths at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.calendar import MonthSteps

_NONE = np.empty(0, np.int64)


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

    def chosen(self, which: NDArray[np.int64]) -> "Arrivals":
        """Those at the given places, in that order."""
        return Arrivals(self.paths[which], self.day_indexes[which], self.amounts[which])


class ArrivalLaw(Protocol):
    """When and how much, on every path."""

    def on_block(self, start: int, stop: int) -> Arrivals:
        """The arrivals within the horizon on one of `path_blocks.blocks`."""


@dataclass(frozen=True, slots=True, eq=False)
class SingleArrival:
    """One amount, at most once per path.

    Attributes:
        day_indexes: int32 [paths]; `horizon_days` or later where it does not arrive in time.
    """

    day_indexes: NDArray[np.int32]
    amount: float
    horizon_days: int

    def on_block(self, start: int, stop: int) -> Arrivals:
        days = self.day_indexes[start:stop]
        paths = np.flatnonzero(days < self.horizon_days)
        return Arrivals(paths, days[paths].astype(np.int64), np.full(paths.shape[0], self.amount))


class BlockArrivals:
    """All arrivals of several laws on one block.

    Attributes:
        totals: float64 [steps, paths], sum of each month.
        outgoing: float64 [steps, paths], sum of what leaves in it; zero or less.
    """

    def __init__(self, laws: Sequence[ArrivalLaw], *, start: int, stop: int, steps: MonthSteps) -> None:
        self._block_paths = stop - start
        self._steps = steps
        first_cell = steps.step_of_day * self._block_paths
        self._parts = [law.on_block(start, stop) for law in laws]
        # A cell is one month of one path.
        self._cells = [first_cell[part.day_indexes] + part.paths for part in self._parts]
        self.totals = np.zeros((steps.count, self._block_paths))
        self.outgoing = np.zeros((steps.count, self._block_paths))
        for part, cells in zip(self._parts, self._cells, strict=True):
            sums = self._sums(cells, part.amounts)
            self.totals += sums
            if part.amounts.max(initial=0.0) <= 0.0:
                self.outgoing += sums
            elif part.amounts.min() < 0.0:
                self.outgoing += self._sums(cells, np.minimum(part.amounts, 0.0))

    def of_months(self, wanted: NDArray[np.bool_]) -> "MonthlyArrivals":
        """The arrivals of the wanted months, bool [steps, paths], month by month."""
        flat = wanted.reshape(-1)
        found = [
            part.chosen(np.flatnonzero(flat[cells])) for part, cells in zip(self._parts, self._cells, strict=True)
        ]
        return MonthlyArrivals(found, steps=self._steps, block_paths=self._block_paths)

    def add_to(self, flows: NDArray[np.float32], *, laws: slice) -> None:
        """Add what some laws bring the block's first paths to flows, float32 [horizon, paths], C-contiguous."""
        paths = flows.shape[1]
        for part in self._parts[laws]:
            hit = np.flatnonzero(part.paths < paths)
            where = part.day_indexes[hit] * paths + part.paths[hit]
            np.add.at(flows.reshape(-1), where, part.amounts[hit].astype(np.float32))

    def _sums(self, cells: NDArray[np.int64], amounts: NDArray[np.float64]) -> NDArray[np.float64]:
        if amounts.shape[0] == 0:
            return np.zeros(self.totals.shape)
        return np.bincount(cells, weights=amounts, minlength=self.totals.size).reshape(self.totals.shape)


class MonthlyArrivals:
    """Arrivals put in order of their month step."""

    def __init__(self, parts: Sequence[Arrivals], *, steps: MonthSteps, block_paths: int) -> None:
        days = np.concatenate([_NONE, *(part.day_indexes for part in parts)])
        # Keys of one byte are sorted by counting; ten years of months fit.
        step = steps.step_of_day[days].astype(np.uint8)
        order = np.argsort(step, kind="stable")
        self._edges = np.searchsorted(step[order], np.arange(steps.count + 1))
        self._days = (days - steps.starts[step])[order]
        self._paths = np.concatenate([_NONE, *(part.paths for part in parts)])[order]
        self._amounts = np.concatenate([_NONE, *(part.amounts for part in parts)])[order]
        self._block_paths = block_paths

    def write_days(self, out: NDArray[np.float32], *, step: int, paths: NDArray[np.int64]) -> None:
        """Write what arrives on each day of one month to `out`, float32 [days, chosen paths]."""
        first, last = self._edges[step], self._edges[step + 1]
        if first == last:
            out[:] = 0.0
            return
        days, chosen = out.shape
        # Paths that were not chosen share one more column, dropped at the end.
        column = np.full(self._block_paths, chosen)
        column[paths] = np.arange(chosen)
        where = self._days[first:last] * (chosen + 1) + column[self._paths[first:last]]
        sums = np.bincount(where, weights=self._amounts[first:last], minlength=days * (chosen + 1))
        out[:] = sums.reshape(days, chosen + 1)[:, :-1]
