"""What differs from path to path within a month: one number per path, month and row, all of them zero or more.

Rows are the factor levels, the positive and the negative part of the persistent error, the cloud invoices, and a
row of ones that carries certain flows. A balance is linear in them, so bounds of the coefficients bound it too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.cash_terms import CashTerms, UncertainLevel
from forecasting.kernel.levels import LARGEST_EXPONENT
from forecasting.kernel.path_blocks import pieces

# The rows of so many paths (13 months x 12 rows, float32) stay in a core's second-level cache.
PATHS_PER_SLAB = 2_500


@dataclass(frozen=True, slots=True, eq=False)
class MonthRows:
    """The rows of one block, and what they come to month by month.

    Attributes:
        slabs: float32 [steps, rows, up to 2,500 paths] each, in the order of `CashTerms.daily`.
        totals: float32 [steps, paths], what they move in the whole month, without certain flows.
        lowest: float32 [steps, paths], a bound from below of what they move up to any day of it, certain flows
            included.
    """

    slabs: tuple[NDArray[np.float32], ...]
    totals: NDArray[np.float32]
    lowest: NDArray[np.float32]

    def write(self, out: NDArray[np.float32], *, step: int, paths: NDArray[np.int64]) -> None:
        """Write the rows of some paths, in ascending order, to float32 [rows, chosen paths]."""
        edges = np.searchsorted(paths, [n * PATHS_PER_SLAB for n in range(len(self.slabs) + 1)]).tolist()
        for n, slab in enumerate(self.slabs):
            out[:, edges[n] : edges[n + 1]] = slab[step][:, paths[edges[n] : edges[n + 1]] - n * PATHS_PER_SLAB]


def month_rows(terms: CashTerms, *, start: int, stop: int) -> MonthRows:
    """The rows of paths start .. stop - 1."""
    steps, paths = terms.steps.count, stop - start
    totals, lowest = (np.empty((steps, paths), np.float32) for _ in range(2))
    slabs = []
    for first, last in pieces(count=paths, size=PATHS_PER_SLAB):
        slab = np.empty((steps, terms.rows, last - first), np.float32)
        _write_rows(terms, slab, start=start + first, stop=start + last)
        screened = np.matmul(terms.screens, slab)
        totals[:, first:last] = screened[:, 0]
        screened[:, 1:].min(axis=1, out=lowest[:, first:last])
        slabs.append(slab)
    return MonthRows(slabs=tuple(slabs), totals=totals, lowest=lowest)


def _write_rows(terms: CashTerms, rows: NDArray[np.float32], *, start: int, stop: int) -> None:
    row = len(terms.levels)
    _write_levels(terms.levels, rows[:, :row], start=start, stop=stop)
    if terms.persistent is not None:
        error = terms.persistent[start:stop]
        rows[:, row] = np.maximum(error, 0.0)
        rows[:, row + 1] = np.maximum(-error, 0.0)
        row += 2
    if terms.clouds:
        usage = np.empty((terms.steps.count, len(terms.clouds), stop - start), np.float32)
        _write_levels(terms.cloud_levels, usage, start=start, stop=stop)
        for n, cloud in enumerate(terms.clouds):
            rows[0, row + n] = 0.0
            rows[1:, row + n] = cloud.unpaid(usage[:, n])[:-1]
    rows[:, -1] = 1.0


def _write_levels(levels: Sequence[UncertainLevel], out: NDArray[np.float32], *, start: int, stop: int) -> None:
    for n, level in enumerate(levels):
        if level.loadings is None or level.shocks is None:
            out[:, n] = 0.0
        else:
            np.matmul(level.loadings, level.shocks[:, start:stop], out=out[:, n])
    np.clip(out, -LARGEST_EXPONENT, LARGEST_EXPONENT, out=out)
    np.exp(out, out=out)
