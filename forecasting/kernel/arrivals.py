"""Single amounts on single days: lumps, receivables, tranches. Each law is drawn for all paths at once, and handed
out for a block of paths at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.calendar import MonthSteps


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


def together(laws: Sequence[ArrivalLaw], *, start: int, stop: int) -> Arrivals:
    """All arrivals of several laws on one block of paths."""
    parts = [law.on_block(start, stop) for law in laws]
    return Arrivals(
        np.concatenate([np.empty(0, np.int64), *(part.paths for part in parts)]),
        np.concatenate([np.empty(0, np.int64), *(part.day_indexes for part in parts)]),
        np.concatenate([np.empty(0), *(part.amounts for part in parts)]),
    )


class BlockArrivals:
    """All arrivals of several laws on one block.

    Attributes:
        totals: float64 [steps, paths], sum of each month.
        outgoing: float64 [steps, paths], sum of what leaves in it; zero or less.
    """

    def __init__(self, laws: Sequence[ArrivalLaw], *, start: int, stop: int, steps: MonthSteps) -> None:
        self._paths = stop - start
        self._steps = steps
        first_cell = steps.step_of_day * self._paths
        self._parts = [law.on_block(start, stop) for law in laws]
        # A cell is one month of one path.
        self._cells = [first_cell[part.day_indexes] + part.paths for part in self._parts]
        incoming, self.outgoing = (np.zeros((steps.count, self._paths)) for _ in range(2))
        for part, cells in zip(self._parts, self._cells, strict=True):
            if part.amounts.shape[0] == 0:
                continue
            if part.amounts.max() <= 0.0:
                self._add(self.outgoing, cells, part.amounts)
            elif part.amounts.min() >= 0.0:
                self._add(incoming, cells, part.amounts)
            else:
                self._add(self.outgoing, cells, np.minimum(part.amounts, 0.0))
                self._add(incoming, cells, np.maximum(part.amounts, 0.0))
        self.totals = incoming
        self.totals += self.outgoing

    def in_cells(self, wanted: NDArray[np.bool_]) -> "MonthlyArrivals":
        """The arrivals of the wanted cells, bool [steps, paths], month by month."""
        flat = wanted.reshape(-1)
        found = [
            part.chosen(np.flatnonzero(flat[cells])) for part, cells in zip(self._parts, self._cells, strict=True)
        ]
        return MonthlyArrivals(found, steps=self._steps, block_paths=self._paths)

    def _add(self, sums: NDArray[np.float64], cells: NDArray[np.int64], amounts: NDArray[np.float64]) -> None:
        sums += np.bincount(cells, weights=amounts, minlength=sums.size).reshape(sums.shape)


class MonthlyArrivals:
    """Arrivals put in order of their month step."""

    def __init__(self, parts: Sequence[Arrivals], *, steps: MonthSteps, block_paths: int) -> None:
        days = np.concatenate([np.empty(0, np.int64), *(part.day_indexes for part in parts)])
        # Keys of one byte are sorted by counting; ten years of months fit.
        step = steps.step_of_day[days].astype(np.uint8)
        order = np.argsort(step, kind="stable")
        self._steps = steps
        self._block_paths = block_paths
        self._edges = np.concatenate([[0], np.cumsum(np.bincount(step, minlength=steps.count))])
        self._days = days[order]
        self._paths = np.concatenate([np.empty(0, np.int64), *(part.paths for part in parts)])[order]
        self._amounts = np.concatenate([np.empty(0), *(part.amounts for part in parts)])[order]

    def per_day(self, *, step: int, paths: NDArray[np.int64]) -> NDArray[np.float32] | None:
        """float32 [days of the step, chosen paths], the sum of each day; None when nothing arrives."""
        first, last = self._edges[step], self._edges[step + 1]
        if first == last:
            return None
        start, stop = int(self._steps.starts[step]), int(self._steps.stops[step])
        chosen = paths.shape[0]
        # Paths that were not chosen share one more column, dropped at the end.
        column = np.full(self._block_paths, chosen)
        column[paths] = np.arange(chosen)
        where = (self._days[first:last] - start) * (chosen + 1) + column[self._paths[first:last]]
        sums = np.bincount(where, weights=self._amounts[first:last], minlength=(stop - start) * (chosen + 1))
        return sums.reshape(stop - start, chosen + 1)[:, :-1].astype(np.float32)
