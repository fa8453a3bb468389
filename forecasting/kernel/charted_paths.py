"""The paths whose days are all kept, for bands and burn: flows first, balances as their running sum."""

from threading import Thread

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.bands import bands_of
from forecasting.kernel.block import PathBlock
from forecasting.kernel.burn import BURN_WINDOW_DAYS, burn_of
from forecasting.kernel.cash_terms import CashTerms
from forecasting.kernel.outcome import Bands, Burn
from forecasting.kernel.path_blocks import blocks
from forecasting.kernel.shocks import Shocks

# Bands are lines on a chart: the first quarter of every block draws them to within one percent of the band's
# width (ADR 0032). The runway's own quantiles always come from all paths.
ONE_PATH_IN = 4


class ChartedPaths:
    """Collects the first quarter of every block."""

    def __init__(self, terms: CashTerms) -> None:
        self._terms = terms
        self._places: dict[int, slice] = {}
        used = 0
        for start, stop in blocks(terms.shocks.paths):
            count = -(-(stop - start) // ONE_PATH_IN)
            self._places[start] = slice(used, used + count)
            used += count
        horizon = terms.inputs.horizon_days
        self._balances = np.empty((horizon, used), np.float32)
        # Sorting a float32 row is vectorised in NumPy, and faster than partitioning it at five places.
        self._sorting = Thread(target=self._balances.sort, kwargs={"axis": 1}, daemon=True)
        self._flows_before_funding = np.empty((min(horizon, BURN_WINDOW_DAYS), used), np.float32)

    def add(self, block: PathBlock) -> None:
        """Take the block's charted paths."""
        terms = self._terms
        place = self._places[block.start]
        flows = self._flows_of_rows_and_noise(block, paths=place.stop - place.start)
        before_funding = len(terms.streams) + len(terms.payments)
        block.arrivals.add_to(flows, laws=slice(0, before_funding))
        self._flows_before_funding[:, place] = flows[: self._flows_before_funding.shape[0]]
        block.arrivals.add_to(flows, laws=slice(before_funding, None))
        balances = self._balances[:, place]
        np.add(flows[0], np.float32(terms.inputs.opening_balance), out=balances[0])
        for day in range(1, flows.shape[0]):  # np.cumsum down the columns is several times slower
            np.add(balances[day - 1], flows[day], out=balances[day])

    @property
    def balances(self) -> NDArray[np.float32]:
        """float32 [horizon, paths], as they were added; days lose their order of paths once sorting starts."""
        return self._balances

    def paths_of(self, start: int) -> int:
        """How many paths of the block that begins at `start` are charted: its first ones."""
        place = self._places[start]
        return place.stop - place.start

    def start_sorting(self) -> None:
        """Sort each day's balances while the caller goes on: one long NumPy call, which needs no interpreter."""
        self._sorting.start()

    def bands(self, *, dispersion: float) -> Bands:
        """Quantiles of the balance, day by day, once sorted."""
        self._sorting.join()
        return bands_of(self._balances, dispersion=dispersion)

    def burn(self) -> Burn:
        """Burn of the first days."""
        return burn_of(self._flows_before_funding)

    def _flows_of_rows_and_noise(self, block: PathBlock, *, paths: int) -> NDArray[np.float32]:
        """float32 [horizon, paths]."""
        terms = self._terms
        flows = np.empty((terms.inputs.horizon_days, paths), np.float32)
        sd = terms.inputs.shock_sd_per_day.astype(np.float32)[:, None]
        shocks = _daily_shocks(terms.shocks, first=block.start, paths=paths)
        noise = np.empty((int(np.diff([terms.steps.starts, terms.steps.stops], axis=0).max()), paths), np.float32)
        for step in range(terms.steps.count):
            start, stop = int(terms.steps.starts[step]), int(terms.steps.stops[step])
            np.matmul(terms.daily[:, start:stop].T, block.months.rows[step, :, :paths], out=flows[start:stop])
            if terms.noise.highest_sd[step] > 0.0:
                month = np.multiply(shocks[start:stop], sd[start:stop], out=noise[: stop - start])
                flows[start:stop] += month
        return flows


def _daily_shocks(shocks: Shocks, *, first: int, paths: int) -> NDArray[np.float32]:
    """float32 [horizon of the shocks, paths] of unit variance, day by day, side by side in memory."""

    def derive() -> NDArray[np.float32]:
        daily = np.diff(shocks.running_noise[:, first : first + paths], axis=0)
        daily.setflags(write=False)
        return daily

    return shocks.derived(("daily shocks", first, paths), derive)
