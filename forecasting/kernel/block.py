"""One block of paths: month-end balances first, single days only where zero may be near.

Balances at month ends need one small product per month. From them and from bounds of how deep a month can go, each
path shows the one to three months in which it may reach zero for the first time; only those are computed day by
day. The bounds are true bounds, so the answer is the one that daily balances everywhere would give.
"""

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.arrivals import BlockArrivals
from forecasting.kernel.calendar import LONGEST_MONTH_DAYS
from forecasting.kernel.cash_terms import CashTerms
from forecasting.kernel.rows import path_rows
from forecasting.kernel.soundness import NonFinitePaths

# Bounds are computed in float32 too; a few roundings of slack keep them bounds.
_SCREEN_SLACK = 8.0
_RUNNING_SUM = np.triu(np.ones((LONGEST_MONTH_DAYS, LONGEST_MONTH_DAYS), np.float32))


class PathBlock:
    """Paths start .. stop - 1 of one simulation.

    Attributes:
        rows: float32 [steps, rows, paths], see `rows.py`.
        arrivals, funding: single amounts; funding is what tranches bring.
        closing: float64 [steps, paths], balance at the end of each month step.
    """

    def __init__(self, terms: CashTerms, *, start: int, stop: int) -> None:
        self.terms = terms
        self.start = start
        self.paths = stop - start
        self.rows = path_rows(terms, start=start, stop=stop)
        self.arrivals = BlockArrivals(terms.arrivals, start=start, stop=stop, steps=terms.steps)
        self.funding = BlockArrivals(terms.funding, start=start, stop=stop, steps=terms.steps)
        screened = np.matmul(terms.screens, self.rows)
        self.closing = self._closing(screened[:, 0])
        self._near = self._may_reach_zero(screened[:, 1:])

    def runway_days(self) -> NDArray[np.int32]:
        """int32 [paths]: first day with a balance of zero, horizon + 1 when there is none."""
        terms = self.terms
        if terms.inputs.opening_balance <= terms.zero:
            return np.ones(self.paths, np.int32)
        runway = np.full(self.paths, terms.inputs.horizon_days + 1, np.int32)
        steps, paths = np.nonzero(self._near)
        balances = self.balances(self._near)
        at_zero = balances <= np.float32(terms.zero)
        day_of_step = at_zero.argmax(axis=1)
        reached = at_zero[np.arange(paths.shape[0]), day_of_step]
        reached &= day_of_step < (terms.steps.stops - terms.steps.starts)[steps]
        # Pairs ascend by month. Assigned in reverse, a path's first month is written last and stays.
        days = (terms.steps.starts[steps] + 1 + day_of_step)[reached]
        runway[paths[reached][::-1]] = days[::-1]
        return runway

    def balances(self, wanted: NDArray[np.bool_]) -> NDArray[np.float32]:
        """float32 [pairs, 31]: closing balances on each day of the wanted months, bool [steps, paths].

        Pairs stand in the order of `np.nonzero(wanted)`; columns past the end of a short step have no meaning.
        """
        terms = self.terms
        steps, paths = np.nonzero(wanted)
        edges = np.searchsorted(steps, np.arange(terms.steps.count + 1))
        balances = np.matmul(self.arrivals.day_by_day(wanted) + self.funding.day_by_day(wanted), _RUNNING_SUM)
        if not terms.noise.is_silent:
            balances += terms.noise.day_by_day(paths=self.start + paths, edges=edges)
        balances += self._opening()[steps, paths, None]
        for step in range(terms.steps.count):
            pairs = slice(int(edges[step]), int(edges[step + 1]))
            if pairs.start < pairs.stop:
                balances[pairs] += np.matmul(self.rows[step][:, paths[pairs]].T, terms.month_flows[step])
        return balances

    def _closing(self, moves_of_rows: NDArray[np.float32]) -> NDArray[np.float64]:
        terms = self.terms
        closing = self.arrivals.totals + self.funding.totals
        closing += moves_of_rows
        if not terms.noise.is_silent:
            closing += terms.noise.totals(start=self.start, stop=self.start + self.paths)
        closing += terms.fixed_totals[:, None]
        closing[0] += terms.inputs.opening_balance
        for step in range(1, terms.steps.count):
            closing[step] += closing[step - 1]
        if not np.isfinite(closing[-1]).all():
            raise NonFinitePaths("a simulated balance is not a finite number: amounts or growth are too large")
        return closing

    def _opening(self) -> NDArray[np.float32]:
        """float32 [steps, paths]: balance at the start of each step; far from zero it may be coarse."""
        opening = np.empty(self.closing.shape, np.float32)
        opening[0] = self.terms.inputs.opening_balance
        opening[1:] = self.closing[:-1]
        return opening

    def _may_reach_zero(self, weekly: NDArray[np.float32]) -> NDArray[np.bool_]:
        """bool [steps, paths]: months that may hold the first zero, from bounds [steps, weeks, paths]."""
        terms = self.terms
        lowest = weekly.min(axis=1)
        lowest += self._opening()
        lowest += self.arrivals.outgoing
        if not terms.noise.is_silent:
            lowest += terms.noise.worst(start=self.start, stop=self.start + self.paths)
        near = lowest <= np.float32(_SCREEN_SLACK * terms.zero)
        near[terms.steps.starts == terms.steps.stops] = False
        above = np.ones(self.paths, bool)
        for step in range(1, terms.steps.count):
            # Once a month has closed at zero, the first zero lies in it or before it.
            above &= self.closing[step - 1] > terms.zero
            near[step] &= above
        return near
