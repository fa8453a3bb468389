"""One block of paths: month-end balances first, single days only where zero may be near.

Balances at month ends need one small product per month. From them and from bounds of how deep a month can go, each
path shows the one to three months in which it may reach zero for the first time; only those are computed day by
day. The bounds are true bounds, so the answer is the one that daily balances everywhere would give.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.arrivals import Arrivals, BlockArrivals, MonthlyArrivals, together
from forecasting.kernel.cash_terms import CashTerms, UncertainLevel
from forecasting.kernel.levels import LARGEST_EXPONENT
from forecasting.kernel.soundness import NonFinitePaths

# Bounds are computed in float32 too; a few roundings of slack keep them bounds.
_SCREEN_SLACK = 8.0


class PathBlock:
    """Paths start .. stop - 1 of one simulation.

    Attributes:
        rows: float32 [steps, rows, paths], all zero or more; see `cash_terms`.
        opening: float64 [steps, paths], balance at the start of each month step.
        closing: float64 [steps, paths], at its end.
    """

    def __init__(self, terms: CashTerms, *, start: int, stop: int) -> None:
        self.terms = terms
        self.start = start
        self.stop = stop
        self.paths = stop - start
        self.rows = self._rows()
        self.arrivals = BlockArrivals((*terms.arrivals, *terms.funding), start=start, stop=stop, steps=terms.steps)
        screened = np.matmul(terms.screens, self.rows)
        moves = self.arrivals.totals
        moves += screened[:, 0]
        moves += terms.noise.totals(start=start, stop=stop)
        moves += terms.fixed_totals[:, None]
        moves[0] += terms.inputs.opening_balance
        self.closing = _running_sum(moves)
        if not np.isfinite(self.closing[-1]).all():
            raise NonFinitePaths("a simulated balance is not a finite number: amounts or growth are too large")
        self.opening = np.concatenate([np.full((1, self.paths), terms.inputs.opening_balance), self.closing[:-1]])
        self._near = self._may_reach_zero(screened[:, 1:])

    def runway_days(self) -> NDArray[np.int32]:
        """int32 [paths]: first day with a balance of zero, horizon + 1 when there is none."""
        terms = self.terms
        runway = np.full(self.paths, terms.inputs.horizon_days + 1, np.int32)
        if terms.inputs.opening_balance <= terms.zero:
            runway[:] = 1
            return runway
        arrivals = self.arrivals.in_cells(self._near)
        alive = np.ones(self.paths, bool)
        for step in range(terms.steps.count):
            paths = np.flatnonzero(self._near[step] & alive)
            if paths.shape[0] == 0:
                continue
            balances = self.balances(step=step, paths=paths, arrivals=arrivals)
            day = first_zero(balances, zero=terms.zero)
            reached = day < balances.shape[0]
            runway[paths[reached]] = int(terms.steps.starts[step]) + 1 + day[reached]
            alive[paths[reached]] = False
        return runway

    def balances(self, *, step: int, paths: NDArray[np.int64], arrivals: MonthlyArrivals) -> NDArray[np.float32]:
        """float32 [days of the step, chosen paths]: closing balances, day by day."""
        terms = self.terms
        start, stop = int(terms.steps.starts[step]), int(terms.steps.stops[step])
        balances = np.matmul(terms.daily[start:stop], self.rows[step][:, paths])
        balances += self.opening[step, paths].astype(np.float32)
        balances += terms.fixed[start:stop, None].astype(np.float32)
        if terms.noise.highest_sd[step] > 0.0:
            balances += terms.noise.running(step=step, paths=self.start + paths)
        arrived = arrivals.per_day(step=step, paths=paths)
        if arrived is not None:
            # A running sum down the columns is slow in NumPy; a triangle of ones in BLAS is not.
            balances += np.matmul(np.tri(stop - start, dtype=np.float32), arrived)
        return balances

    def funding(self) -> Arrivals:
        """What tranches bring."""
        return together(self.terms.funding, start=self.start, stop=self.stop)

    def _may_reach_zero(self, weekly: NDArray[np.float32]) -> NDArray[np.bool_]:
        """bool [steps, paths]: months that may hold the first zero, given bounds [steps, weeks, paths]."""
        terms = self.terms
        weekly += terms.screen_fixed[:, :, None].astype(np.float32)
        lowest = weekly.min(axis=1)
        lowest += terms.noise.worst(start=self.start, stop=self.stop)
        lowest += self.arrivals.outgoing
        lowest += self.opening
        near = lowest <= np.float32(_SCREEN_SLACK * terms.zero)
        near[terms.steps.starts == terms.steps.stops] = False
        above = np.ones(self.paths, bool)
        for step in range(1, terms.steps.count):
            # Once a month has closed at zero, the first zero lies in it or before it.
            above &= self.closing[step - 1] > terms.zero
            near[step] &= above
        return near

    def _rows(self) -> NDArray[np.float32]:
        terms = self.terms
        rows = np.empty((terms.steps.count, terms.rows, self.paths), np.float32)
        uncertain = len(terms.levels)
        self._write_levels(terms.levels, rows[:, :uncertain])
        if terms.persistent is not None:
            error = terms.persistent[self.start : self.stop]
            rows[:, uncertain] = np.maximum(error, 0.0)
            rows[:, uncertain + 1] = np.maximum(-error, 0.0)
        usage = np.empty((terms.steps.count, len(terms.clouds), self.paths), np.float32)
        self._write_levels(terms.cloud_levels, usage)
        for n, cloud in enumerate(terms.clouds):
            invoices = rows[:, terms.first_invoice_row + n]
            invoices[0] = 0.0
            invoices[1:] = cloud.unpaid(usage[:, n])[:-1]
        return rows

    def _write_levels(self, levels: Sequence[UncertainLevel], out: NDArray[np.float32]) -> None:
        for n, level in enumerate(levels):
            if level.loadings is None or level.shocks is None:
                out[:, n] = 0.0
            else:
                np.matmul(level.loadings, level.shocks[:, self.start : self.stop], out=out[:, n])
        np.clip(out, -LARGEST_EXPONENT, LARGEST_EXPONENT, out=out)
        np.exp(out, out=out)


def first_zero(balances: NDArray[np.float32], *, zero: float) -> NDArray[np.int64]:
    """int64 [paths]: index of the first day at or below zero, the number of days when there is none."""
    days = balances.shape[0]
    # argmax down the columns of a boolean array is slow; a maximum of small integers is not.
    weight = np.arange(days, 0, -1, dtype=np.uint8)[:, None]
    below = (balances <= np.float32(zero)).view(np.uint8)
    return days - (below * weight).max(axis=0).astype(np.int64)


def _running_sum(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Running sum down the columns, in place; np.cumsum walks them one by one."""
    for n in range(1, rows.shape[0]):
        rows[n] += rows[n - 1]
    return rows
