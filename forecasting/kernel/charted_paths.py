"""The paths whose days are all kept, for bands and burn: flows first, balances as their running sum."""

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.bands import bands_of
from forecasting.kernel.block import PathBlock
from forecasting.kernel.burn import BURN_WINDOW_DAYS, burn_of
from forecasting.kernel.cash_terms import CashTerms
from forecasting.kernel.outcome import Bands, Burn
from forecasting.kernel.path_blocks import blocks

# Bands are lines on a chart: the first quarter of every block draws them to within half a percent of the band's
# width (ADR 0032). The runway's own quantiles always come from all paths.
ONE_PATH_IN = 4


class ChartedPaths:
    """Collects the first quarter of every block; `add` may be called from several threads, once per block."""

    def __init__(self, terms: CashTerms) -> None:
        self._terms = terms
        self._places: dict[int, slice] = {}
        used = 0
        for start, stop in blocks(terms.shocks.paths):
            count = -(-(stop - start) // ONE_PATH_IN)
            self._places[start] = slice(used, used + count)
            used += count
        horizon = terms.inputs.horizon_days
        self._balances = np.empty((used, horizon), np.float32)
        self._flows_before_funding = np.empty((used, min(horizon, BURN_WINDOW_DAYS)), np.float32)

    def add(self, block: PathBlock) -> None:
        """Take the block's charted paths."""
        place = self._places[block.start]
        paths = place.stop - place.start
        flows = self._flows(block, paths)
        self._flows_before_funding[place] = flows[:, : self._flows_before_funding.shape[1]]
        flows += block.funding.flows(paths=paths)
        flows[:, 0] += np.float32(self._terms.inputs.opening_balance)
        np.cumsum(flows, axis=1, out=self._balances[place])

    def bands(self) -> Bands:
        """Quantiles of the balance, day by day."""
        return bands_of(self._balances.T)

    def burn(self) -> Burn:
        """Burn of the first days."""
        return burn_of(self._flows_before_funding)

    def _flows(self, block: PathBlock, paths: int) -> NDArray[np.float32]:
        """float32 [paths, horizon]: net flow of each day before funding."""
        terms = self._terms
        flows = block.arrivals.flows(paths=paths)
        if not terms.noise.is_silent:
            running = terms.shocks.running_noise[block.start : block.start + paths, : flows.shape[1] + 1]
            shocks = running[:, 1:] - running[:, :-1]
            shocks *= terms.inputs.shock_sd_per_day.astype(np.float32)
            flows += shocks
        for step in range(terms.steps.count):
            days = slice(int(terms.steps.starts[step]), int(terms.steps.stops[step]))
            flows[:, days] += np.matmul(block.rows[step, :, :paths].T, terms.daily[:, days])
        return flows
