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
        cells: int64 [n], the month of the path: month step x paths of the block + path.
        amounts: float32 [n], signed.
    """

    paths: NDArray[np.int32]
    day_indexes: NDArray[np.int32]
    cells: NDArray[np.int64]
    amounts: NDArray[np.float32]

    @property
    def only_leave(self) -> bool:
        return bool(self.amounts.max(initial=0.0) <= 0.0)

    @property
    def only_come_in(self) -> bool:
        return bool(self.amounts.min(initial=0.0) >= 0.0)


NO_ARRIVALS = Arrivals(
    np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.float32)
)


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
    steps: MonthSteps

    def on_block(self, start: int, stop: int) -> Arrivals:
        days = self.day_indexes[start:stop]
        paths = np.flatnonzero(days < self.steps.days)
        days = days[paths]
        return Arrivals(
            paths=paths.astype(np.int32),
            day_indexes=days,
            cells=self.steps.step_of_day[days] * (stop - start) + paths,
            amounts=np.full(paths.shape[0], self.amount, np.float32),
        )


class BlockArrivals:
    """All arrivals of several laws on one block.

    Attributes:
        incoming, outgoing: float32 [steps, paths], sums of what comes in and of what leaves in each month.
    """

    def __init__(
        self,
        laws: Sequence[ArrivalLaw],
        *,
        start: int,
        stop: int,
        steps: MonthSteps,
        before: "BlockArrivals | None" = None,
    ) -> None:
        """`before`: arrivals of the same block, which these come on top of."""
        self._block_paths = stop - start
        self._steps = steps
        added = [law.on_block(start, stop) for law in laws]
        self._parts: list[Arrivals] = added if before is None else [*before._parts, *added]
        # Each amount is added once: to what leaves or to what comes in. The two make the total.
        if before is None:
            self.incoming, self.outgoing = np.zeros((2, steps.count, stop - start), np.float32)
        else:
            self.incoming, self.outgoing = before.incoming, before.outgoing
            if added:
                self.incoming, self.outgoing = self.incoming.copy(), self.outgoing.copy()
        for part in added:
            # In float32 throughout, np.add.at is twice as fast as np.bincount, which adds in float64.
            if part.only_leave:
                np.add.at(self.outgoing.reshape(-1), part.cells, part.amounts)
            elif part.only_come_in:
                np.add.at(self.incoming.reshape(-1), part.cells, part.amounts)
            else:
                np.add.at(self.outgoing.reshape(-1), part.cells, np.minimum(part.amounts, np.float32(0.0)))
                np.add.at(self.incoming.reshape(-1), part.cells, np.maximum(part.amounts, np.float32(0.0)))

    @property
    def totals(self) -> NDArray[np.float32]:
        """float32 [steps, paths], sum of each month."""
        return np.asarray(self.incoming + self.outgoing)

    @property
    def nbytes(self) -> int:
        parts = (
            part.paths.nbytes + part.day_indexes.nbytes + part.cells.nbytes + part.amounts.nbytes
            for part in self._parts
        )
        return self.incoming.nbytes + self.outgoing.nbytes + sum(parts)

    def running_sums(
        self, *, chosen: NDArray[np.bool_], cells: NDArray[np.int64], days: int
    ) -> NDArray[np.float32]:
        """float32 [days, n]: what has arrived since the start of the chosen months, bool [steps, paths].

        `cells` are the places of the chosen months, ascending; `days` is the length of the longest month.
        """
        columns = cells.shape[0]
        column_of_cell = np.empty(chosen.size, np.int64)
        column_of_cell[cells] = np.arange(columns)
        day_of_month = np.arange(self._steps.days) - self._steps.starts[self._steps.step_of_day]
        arrived = np.zeros((days, columns), np.float32)
        for part in self._parts:
            found = np.flatnonzero(chosen.reshape(-1)[part.cells])
            where = day_of_month[part.day_indexes[found]] * columns
            where += column_of_cell[part.cells[found]]
            np.add.at(arrived.reshape(-1), where, part.amounts[found])
        for day in range(1, days):  # np.cumsum down the columns is several times slower
            arrived[day] += arrived[day - 1]
        return arrived

    def add_to(self, flows: NDArray[np.float32], *, laws: slice) -> None:
        """Add what some laws bring the block's first paths to flows, float32 [horizon, paths], C-contiguous."""
        paths = flows.shape[1]
        for part in self._parts[laws]:
            shown = np.flatnonzero(part.paths < paths)
            where = part.day_indexes[shown].astype(np.int64)
            where *= paths
            where += part.paths[shown]
            np.add.at(flows.reshape(-1), where, part.amounts[shown])
