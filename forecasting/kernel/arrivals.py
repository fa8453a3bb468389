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
        paths: int32 [n], 0 is the block's first path.
        day_indexes: int32 [n], 0 is day 1; always within the horizon.
        amounts: float32 [n], signed.
    """

    paths: NDArray[np.int32]
    day_indexes: NDArray[np.int32]
    amounts: NDArray[np.float32]

    def chosen(self, which: NDArray[np.int64] | slice) -> "Arrivals":
        """Those at the given places, in that order."""
        return Arrivals(self.paths[which], self.day_indexes[which], self.amounts[which])


NO_ARRIVALS = Arrivals(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.float32))


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
        return Arrivals(paths.astype(np.int32), days[paths], np.full(paths.shape[0], self.amount, np.float32))


class BlockArrivals:
    """All arrivals of several laws on one block.

    Attributes:
        totals: float64 [steps, paths], sum of each month.
        outgoing: float32 [steps, paths], sum of what leaves in it; zero or less.
    """

    def __init__(self, laws: Sequence[ArrivalLaw], *, start: int, stop: int, steps: MonthSteps) -> None:
        self._block_paths = stop - start
        self._steps = steps
        self._parts = [law.on_block(start, stop) for law in laws]
        # What only leaves stands first, what only comes in last: then what leaves is one piece.
        ordered = sorted(self._parts, key=_sign)
        leaving = sum(part.paths.shape[0] for part in ordered if _sign(part) <= 0)
        self._arrivals = Arrivals(
            np.concatenate([NO_ARRIVALS.paths, *(part.paths for part in ordered)]),
            np.concatenate([NO_ARRIVALS.day_indexes, *(part.day_indexes for part in ordered)]),
            np.concatenate([NO_ARRIVALS.amounts, *(part.amounts for part in ordered)]),
        )
        # A cell is one month of one path.
        self._cells = (steps.step_of_day * self._block_paths)[self._arrivals.day_indexes]
        self._cells += self._arrivals.paths
        self.totals = self._sums(self._cells, self._arrivals.amounts)
        amounts_leaving = np.minimum(self._arrivals.amounts[:leaving], 0.0)
        self.outgoing = self._sums(self._cells[:leaving], amounts_leaving).astype(np.float32)

    def of_months(self, wanted: NDArray[np.bool_]) -> "MonthlyArrivals":
        """The arrivals of the wanted months, bool [steps, paths], month by month."""
        found = np.flatnonzero(wanted.reshape(-1)[self._cells])
        return MonthlyArrivals(self._arrivals.chosen(found), steps=self._steps, block_paths=self._block_paths)

    def add_to(self, flows: NDArray[np.float32], *, laws: slice) -> None:
        """Add what some laws bring the block's first paths to flows, float32 [horizon, paths], C-contiguous."""
        paths = flows.shape[1]
        for part in self._parts[laws]:
            shown = part.chosen(np.flatnonzero(part.paths < paths))
            np.add.at(flows.reshape(-1), shown.day_indexes * paths + shown.paths, shown.amounts)

    def _sums(self, cells: NDArray[np.int64], amounts: NDArray[np.float32]) -> NDArray[np.float64]:
        size = self._steps.count * self._block_paths
        sums = np.bincount(cells, weights=amounts, minlength=size) if amounts.shape[0] else np.zeros(size)
        return sums.reshape(self._steps.count, self._block_paths)


class MonthlyArrivals:
    """Arrivals put in order of their month step."""

    def __init__(self, arrivals: Arrivals, *, steps: MonthSteps, block_paths: int) -> None:
        # Keys of one byte are sorted by counting; ten years of months fit.
        step = steps.step_of_day[arrivals.day_indexes].astype(np.uint8)
        order = np.argsort(step, kind="stable")
        self._edges = np.searchsorted(step[order], np.arange(steps.count + 1))
        self._arrivals = arrivals.chosen(order)
        self._steps = steps
        self._block_paths = block_paths

    def add_to(self, balances: NDArray[np.float32], *, step: int, paths: NDArray[np.int64]) -> None:
        """Add what arrived so far in one month step to balances, float32 [days, chosen paths]."""
        month = self._arrivals.chosen(slice(int(self._edges[step]), int(self._edges[step + 1])))
        if month.paths.shape[0] == 0:
            return
        days, chosen = balances.shape
        # Paths that were not chosen share one more column, dropped at the end.
        column = np.full(self._block_paths, chosen)
        column[paths] = np.arange(chosen)
        arrived = np.zeros((days, chosen + 1), np.float32)
        where = (month.day_indexes - self._steps.starts[step]) * (chosen + 1) + column[month.paths]
        np.add.at(arrived.reshape(-1), where, month.amounts)
        for day in range(1, days):  # np.cumsum down the columns is several times slower
            arrived[day] += arrived[day - 1]
        balances += arrived[:, :-1]


def _sign(part: Arrivals) -> int:
    """-1 when nothing comes in, 1 when nothing leaves, 0 when both happen."""
    if part.amounts.max(initial=0.0) <= 0.0:
        return -1
    return 1 if part.amounts.min() >= 0.0 else 0
