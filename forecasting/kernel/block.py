"""One block of paths: month-end balances first, single days only where zero may be near.

Balances at month ends need one small product per month. From them and from bounds of how deep a month can go, each
path shows the one to three months in which it may reach zero for the first time; only those are computed day by
day. The bounds are true bounds, so the answer is the one that daily balances everywhere would give.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.arrivals import Arrivals, together
from forecasting.kernel.cash_terms import CashTerms, UncertainLevel
from forecasting.kernel.levels import LARGEST_EXPONENT
from forecasting.kernel.shocks import WORST_NOISE_GRID_DAYS
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
        steps = terms.steps
        self.funding = together(terms.funding, start=start, stop=stop)
        self.arrivals, self._edges = together(
            (*terms.arrivals, *terms.funding), start=start, stop=stop
        ).ordered_by_step(steps.step_of_day, steps.count)
        screened = np.matmul(terms.screens, self.rows)
        moves = screened[:, 0] + self._arrival_totals(self.arrivals.amounts) + self._noise_totals()
        self.closing = np.cumsum(moves, axis=0, dtype=np.float64)
        self.closing += terms.inputs.opening_balance + np.cumsum(terms.fixed_totals)[:, None]
        if not np.isfinite(self.closing[-1]).all():
            raise NonFinitePaths("a simulated balance is not a finite number: amounts or growth are too large")
        self.opening = np.concatenate([np.full((1, self.paths), terms.inputs.opening_balance), self.closing[:-1]])
        screened[:, 1:] += terms.screen_fixed[:, :, None].astype(np.float32)
        self._lowest = screened[:, 1:].min(axis=1) + self.opening + self._worst_events()

    def runway_days(self) -> NDArray[np.int32]:
        """int32 [paths]: first day with a balance of zero, horizon + 1 when there is none."""
        terms = self.terms
        runway = np.full(self.paths, terms.inputs.horizon_days + 1, np.int32)
        if terms.inputs.opening_balance <= terms.zero:
            runway[:] = 1
            return runway
        near = self._lowest <= _SCREEN_SLACK * terms.zero
        alive = np.ones(self.paths, bool)
        for step in range(terms.steps.count):
            start, stop = int(terms.steps.starts[step]), int(terms.steps.stops[step])
            paths = np.flatnonzero(near[step] & alive)
            if paths.shape[0] == 0 or start == stop:
                continue
            day = first_zero(self.balances(step=step, paths=paths), zero=terms.zero)
            reached = day < stop - start
            runway[paths[reached]] = start + 1 + day[reached]
            alive[paths[reached]] = False
        return runway

    def balances(self, *, step: int, paths: NDArray[np.int64] | slice) -> NDArray[np.float32]:
        """float32 [days of the step, chosen paths]: closing balances, day by day."""
        terms = self.terms
        start, stop = int(terms.steps.starts[step]), int(terms.steps.stops[step])
        balances = np.matmul(terms.daily[start:stop], self.rows[step][:, paths])
        balances += self._noise(start=start, stop=stop, paths=paths)
        balances += terms.fixed[start:stop, None].astype(np.float32)
        balances += self.opening[step, paths].astype(np.float32)
        first, last = self._edges[step], self._edges[step + 1]
        if first < last:
            balances += self._arrived(self.arrivals, first, last, start=start, stop=stop, paths=paths)
        return balances

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

    def _arrival_totals(self, amounts: NDArray[np.float64]) -> NDArray[np.float64]:
        steps = self.terms.steps
        where = steps.step_of_day[self.arrivals.day_indexes] * self.paths + self.arrivals.paths
        return np.bincount(where, weights=amounts, minlength=steps.count * self.paths).reshape(
            steps.count, self.paths
        )

    def _noise_totals(self) -> NDArray[np.float32]:
        steps = self.terms.steps
        totals = np.zeros((steps.count, self.paths), np.float32)
        for step in range(steps.count):
            start, stop = int(steps.starts[step]), int(steps.stops[step])
            if start < stop:
                totals[step] = self._noise(start=start, stop=stop, paths=slice(None), last_day_only=True)
        return totals

    def _noise(
        self, *, start: int, stop: int, paths: NDArray[np.int64] | slice, last_day_only: bool = False
    ) -> NDArray[np.float32]:
        """Running sum of sd x shock over the days start .. stop - 1; float32 [days, chosen paths]."""
        sd = self.terms.noise_sd[start:stop]
        running = self.terms.shocks.cumulative_noise[start : stop + 1, self.start : self.stop]
        if sd.min() == sd.max():
            if last_day_only:
                return (running[-1] - running[0]) * np.float32(sd[0])
            noise = running[1:, paths] - running[0, paths]
            noise *= np.float32(sd[0])
            return noise
        weights = _running_sum_weights(sd)
        return np.matmul(weights[-1] if last_day_only else weights, running[:, paths])

    def _worst_events(self) -> NDArray[np.float64]:
        """How far outgoing lumps and noise together can fall below a month's opening; zero or less."""
        steps, shocks = self.terms.steps, self.terms.shocks
        worst = self._arrival_totals(np.minimum(self.arrivals.amounts, 0.0))
        for step in range(steps.count):
            start, stop = int(steps.starts[step]), int(steps.stops[step])
            if start == stop:
                continue
            first, last = start // WORST_NOISE_GRID_DAYS, -(-stop // WORST_NOISE_GRID_DAYS)
            fall = (
                shocks.worst_noise[last, self.start : self.stop]
                - shocks.worst_noise[first, self.start : self.stop]
            )
            worst[step] += fall * np.float32(self.terms.noise_sd[start:stop].max())
        return worst

    def _arrived(
        self, arrivals: Arrivals, first: int, last: int, *, start: int, stop: int, paths: NDArray[np.int64] | slice
    ) -> NDArray[np.float32]:
        """Running sum of arrivals first .. last - 1 within a step; float32 [days, chosen paths]."""
        column = np.arange(self.paths)
        if not isinstance(paths, slice):
            # Paths that were not chosen share one more column, dropped below.
            column = np.full(self.paths, paths.shape[0])
            column[paths] = np.arange(paths.shape[0])
        columns = self.paths if isinstance(paths, slice) else paths.shape[0] + 1
        where = (arrivals.day_indexes[first:last] - start) * columns + column[arrivals.paths[first:last]]
        amounts = np.bincount(where, weights=arrivals.amounts[first:last], minlength=(stop - start) * columns)
        per_day = amounts.reshape(stop - start, columns).astype(np.float32)
        chosen = per_day[:, paths] if isinstance(paths, slice) else per_day[:, :-1]
        days = stop - start
        return np.matmul(np.tri(days, dtype=np.float32), chosen)


def first_zero(balances: NDArray[np.float32], *, zero: float) -> NDArray[np.int64]:
    """int64 [paths]: index of the first day at or below zero, the number of days when there is none."""
    days = balances.shape[0]
    # argmax down the columns of a boolean array is slow; a maximum of small integers is not.
    weight = np.arange(days, 0, -1, dtype=np.uint8)[:, None]
    below = (balances <= np.float32(zero)).view(np.uint8)
    return days - (below * weight).max(axis=0).astype(np.int64)


def _running_sum_weights(sd: NDArray[np.float64]) -> NDArray[np.float32]:
    """float32 [n, n + 1]: sums of sd x shock, as weights of the running sums of shocks (summation by parts)."""
    n = sd.shape[0]
    weights = np.zeros((n, n + 1))
    rows, columns = np.tril_indices(n)
    weights[rows, columns + 1] += sd[columns]
    weights[rows, columns] -= sd[columns]
    return weights.astype(np.float32)
