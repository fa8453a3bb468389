"""Single amounts on single days: lumps, receivables, tranches. Each law is drawn for all paths at once, and handed
out for a block of paths at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.calendar import LONGEST_MONTH_DAYS, MonthSteps


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

    def day_by_day(self, wanted: NDArray[np.bool_]) -> NDArray[np.float32]:
        """float32 [pairs, 31]: what arrives on each day of the wanted months, bool [steps, paths].

        Pairs stand in the order of `np.nonzero(wanted)`; columns past the end of a short step are zero.
        """
        cells = np.flatnonzero(wanted)
        pair_of_cell = np.full(wanted.size, -1)
        pair_of_cell[cells] = np.arange(cells.shape[0])
        day_of_step = np.arange(self._steps.step_of_day.shape[0]) - self._steps.starts[self._steps.step_of_day]
        where, amounts = [np.empty(0, np.int64)], [np.empty(0)]
        for part, part_cells in zip(self._parts, self._cells, strict=True):
            pairs = pair_of_cell[part_cells]
            hit = np.flatnonzero(pairs >= 0)
            where.append(pairs[hit] * LONGEST_MONTH_DAYS + day_of_step[part.day_indexes[hit]])
            amounts.append(part.amounts[hit])
        return _sums(where, amounts, shape=(cells.shape[0], LONGEST_MONTH_DAYS))

    def flows(self, *, paths: int) -> NDArray[np.float32]:
        """float32 [paths, horizon]: what arrives on each day of the block's first paths."""
        horizon = self._steps.step_of_day.shape[0]
        where, amounts = [np.empty(0, np.int64)], [np.empty(0)]
        for part in self._parts:
            hit = np.flatnonzero(part.paths < paths)
            where.append(part.paths[hit] * horizon + part.day_indexes[hit])
            amounts.append(part.amounts[hit])
        return _sums(where, amounts, shape=(paths, horizon))

    def _add(self, sums: NDArray[np.float64], cells: NDArray[np.int64], amounts: NDArray[np.float64]) -> None:
        sums += np.bincount(cells, weights=amounts, minlength=sums.size).reshape(sums.shape)


def _sums(
    where: list[NDArray[np.int64]], amounts: list[NDArray[np.float64]], *, shape: tuple[int, int]
) -> NDArray[np.float32]:
    counted = np.bincount(np.concatenate(where), weights=np.concatenate(amounts), minlength=shape[0] * shape[1])
    return counted.astype(np.float32).reshape(shape)
