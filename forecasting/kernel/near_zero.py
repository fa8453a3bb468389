"""The months near zero, day by day: which of their days is the first at zero.

Without its noise a balance is a small product, a few arrivals and a sum. Noise is one scattered number per day out
of fifteen megabytes, so it is looked up last, and only on days that can be the first zero: not where even the
month's lowest noise leaves the balance above zero, and not after a day that even the highest leaves at zero.
"""

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.arrivals import BlockArrivals
from forecasting.kernel.cash_terms import CashTerms

# Bounds are sums in float32 too; a few roundings of slack keep them bounds.
SCREEN_SLACK = 8.0


class MonthsNearZero:
    """Chosen months of the paths start .. stop - 1: one column each, in the order of month step and path.

    Attributes:
        paths: int64 [n], 0 is the block's first path.
        before_noise: float32 [days of the longest month, n], closing balances; infinite after the end of a shorter
            month. Where the daily sd changes within the month, its noise is in them already.
    """

    def __init__(
        self,
        terms: CashTerms,
        *,
        chosen: NDArray[np.bool_],
        rows: NDArray[np.float32],
        opening: NDArray[np.float64],
        arrivals: BlockArrivals,
        start: int,
    ) -> None:
        """`chosen` and `opening` are [steps, paths], `rows` is [steps, rows, paths]; all of one block."""
        steps, paths = chosen.shape
        self._terms = terms
        self._start, self._stop = start, start + paths
        cells = np.flatnonzero(chosen)
        self._edges = np.searchsorted(cells, np.arange(steps + 1) * paths).tolist()
        self._counts = np.diff(self._edges)
        self.paths = cells - np.repeat(np.arange(steps) * paths, self._counts)
        self.before_noise = self._products(rows=rows, opening=opening, cells=cells)
        self.before_noise += arrivals.running_sums(chosen=chosen, cells=cells, days=self.before_noise.shape[0])
        sd = self._noise_of_changing_sd()
        self._sd = np.repeat(sd, self._counts)
        self._place = np.repeat(terms.steps.starts * terms.shocks.paths + start, self._counts) + self.paths
        self._shock_before = terms.shocks.running_noise.reshape(-1)[self._place]
        unit = terms.noise.unit
        self._lowest, self._highest = (
            bound[:, start : self._stop].reshape(-1)[cells] * self._sd for bound in (unit.lowest, unit.highest)
        )

    def first_zeros(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Paths (counted within the block) that reach zero, and their first such day's index."""
        columns = self.paths.shape[0]
        zero = np.float32(self._terms.zero)
        where = places_of_few(self._may_be_first(zero))
        day = np.repeat(np.arange(self.before_noise.shape[0]), np.diff(np.searchsorted(where, self._day_edges())))
        column = where - day * columns
        # Backwards, so that of several zeros of a path the first is written last.
        at_zero = np.flatnonzero(self._balances(where=where, day=day, column=column) <= zero)[::-1]
        first = np.full(columns, -1)
        first[column[at_zero]] = day[at_zero]
        reached = np.flatnonzero(first >= 0)[::-1]
        starts = np.repeat(self._terms.steps.starts, self._counts)
        return self.paths[reached], starts[reached] + first[reached]

    def balances(self, *, step: int) -> NDArray[np.float32]:
        """float32 [days, chosen paths]: closing balances of one month step, noise included."""
        days = int(self._terms.steps.stops[step] - self._terms.steps.starts[step])
        columns = self.paths.shape[0]
        column = np.arange(self._edges[step], self._edges[step + 1])
        day = np.repeat(np.arange(days), column.shape[0])
        column = np.tile(column, days)
        return self._balances(where=day * columns + column, day=day, column=column).reshape(days, -1)

    def _balances(
        self, *, where: NDArray[np.int64], day: NDArray[np.int64], column: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """float32 [n]: balances at places `where` = day of the month x columns + column."""
        shocks = self._terms.shocks
        noise = shocks.running_noise.reshape(-1)[self._place[column] + (day + 1) * shocks.paths]
        noise -= self._shock_before[column]
        noise *= self._sd[column]
        noise += self.before_noise.reshape(-1)[where]
        return noise

    def _may_be_first(self, zero: np.float32) -> NDArray[np.bool_]:
        """bool [days, n]: days that may be at zero, up to the first that surely is."""
        slack = np.float32(SCREEN_SLACK) * zero
        may = self.before_noise <= slack - self._lowest
        # argmax down the columns of a boolean array is slow; a maximum of small integers is not.
        weight = np.arange(self.before_noise.shape[0], 0, -1, dtype=np.uint8)[:, None]
        surely = (self.before_noise <= -slack - self._highest).view(np.uint8)
        surely *= weight
        may &= weight >= surely.max(axis=0, initial=0)
        return may

    def _products(
        self, *, rows: NDArray[np.float32], opening: NDArray[np.float64], cells: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """float32 [days, n]: what rows and the month's opening balance come to."""
        terms = self._terms
        gathered = np.empty((terms.rows + 1, cells.shape[0]), np.float32)
        # A row's months lie together in memory, so that this is one row per row, and no copy.
        np.take(rows.transpose(1, 0, 2).reshape(terms.rows, -1), cells, axis=1, out=gathered[:-1], mode="clip")
        gathered[-1] = opening.reshape(-1)[cells]
        lengths = (terms.steps.stops - terms.steps.starts).tolist()
        balances = np.empty((max(lengths), cells.shape[0]), np.float32)
        for step, days in enumerate(lengths):
            columns = slice(self._edges[step], self._edges[step + 1])
            if columns.start < columns.stop:
                first = int(terms.steps.starts[step])
                np.matmul(
                    terms.month_flows[first : first + days], gathered[:, columns], out=balances[:days, columns]
                )
                balances[days:, columns] = np.inf
        return balances

    def _noise_of_changing_sd(self) -> NDArray[np.float32]:
        """float32 [steps], the sd of each month whose noise is still to be looked up; adds that of the others."""
        noise = self._terms.noise
        sd = noise.highest_sd.copy()
        for step, weights in enumerate(noise.weights):
            columns = slice(self._edges[step], self._edges[step + 1])
            if weights is not None and columns.start < columns.stop:
                added = noise.day_by_day(step=step, start=self._start, stop=self._stop, paths=self.paths[columns])
                self.before_noise[: added.shape[0], columns] += added
                sd[step] = 0.0
        return sd

    def _day_edges(self) -> NDArray[np.int64]:
        return np.arange(self.before_noise.shape[0] + 1) * self.paths.shape[0]


def places_of_few(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    """np.flatnonzero of C-contiguous flags, faster where few are set: eight of them are looked at together."""
    flat = flags.reshape(-1)
    whole = flat.shape[0] // 8 * 8
    eights = np.flatnonzero(flat[:whole].view(np.uint64) != 0)
    within = np.flatnonzero(flat[:whole].reshape(-1, 8)[eights])
    return np.concatenate([eights[within >> 3] * 8 + (within & 7), whole + np.flatnonzero(flat[whole:])])
