"""The paths whose balances are kept day by day, for bands and burn."""

import numpy as np

from forecasting.kernel.bands import bands_of
from forecasting.kernel.block import PathBlock
from forecasting.kernel.burn import BURN_WINDOW_DAYS, burn_of, daily_burn
from forecasting.kernel.cash_terms import CashTerms
from forecasting.kernel.outcome import Bands, Burn
from forecasting.kernel.path_blocks import blocks

# Bands need no p5 of days, only a line on a chart: the first quarter of every block draws it to within half a
# percent of the band's width. The runway's own quantiles always come from all paths.
ONE_PATH_IN = 4


class ChartedPaths:
    """Collects the first quarter of every block; `add` may be called from several threads, once per block."""

    def __init__(self, terms: CashTerms) -> None:
        self.terms = terms
        self._columns: dict[int, tuple[int, int]] = {}
        used = 0
        for start, stop in blocks(terms.shocks.paths):
            count = -(-(stop - start) // ONE_PATH_IN)
            self._columns[start] = (used, used + count)
            used += count
        horizon = terms.inputs.horizon_days
        self._balances = np.empty((horizon, used), np.float32)
        self._burn = np.empty((min(horizon, BURN_WINDOW_DAYS), used), np.float32)

    def add(self, block: PathBlock) -> None:
        """Take the block's charted paths."""
        first, last = self._columns[block.start]
        chosen = np.arange(last - first)
        steps = self.terms.steps
        cells = np.zeros((steps.count, block.paths), bool)
        cells[:, : last - first] = True
        arrivals = block.arrivals.in_cells(cells)
        balances = np.empty((self._balances.shape[0], last - first), np.float32)
        for step in range(steps.count):
            start, stop = int(steps.starts[step]), int(steps.stops[step])
            if start < stop:
                balances[start:stop] = block.balances(step=step, paths=chosen, arrivals=arrivals)
        self._burn[:, first:last] = daily_burn(
            balances=balances, opening_balance=self.terms.inputs.opening_balance, funding=block.funding()
        )
        self._balances[:, first:last] = balances

    def bands(self) -> Bands:
        """Day by day. The balances are sorted in place: call it once."""
        return bands_of(self._balances)

    def burn(self) -> Burn:
        return burn_of(self._burn)
