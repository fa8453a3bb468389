"""What differs from path to path within a month: one number per path, month and row, all of them zero or more.

Rows are the factor levels, the positive and the negative part of the persistent error, the cloud invoices, and a
row of ones that carries certain flows. A balance is linear in them, so bounds of the coefficients bound it too.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.cash_terms import CashTerms, UncertainLevel
from forecasting.kernel.levels import LARGEST_EXPONENT


def path_rows(terms: CashTerms, *, start: int, stop: int) -> NDArray[np.float32]:
    """float32 [steps, rows, paths] for paths start .. stop - 1, in the order of `CashTerms.month_flows`."""
    rows = np.empty((terms.steps.count, terms.rows, stop - start), np.float32)
    row = len(terms.levels)
    _write_levels(terms.levels, rows[:, :row], start=start, stop=stop)
    if terms.persistent is not None:
        error = terms.persistent[start:stop]
        np.maximum(error, 0.0, out=rows[0, row])
        np.maximum(-error, 0.0, out=rows[0, row + 1])
        rows[1:, row : row + 2] = rows[0, row : row + 2]
        row += 2
    if terms.clouds:
        usage = np.empty((terms.steps.count, len(terms.clouds), stop - start), np.float32)
        _write_levels(terms.cloud_levels, usage, start=start, stop=stop)
        for n, cloud in enumerate(terms.clouds):
            rows[0, row + n] = 0.0
            rows[1:, row + n] = cloud.unpaid(usage[:, n])[:-1]
    rows[:, -1] = 1.0
    return rows


def _write_levels(levels: Sequence[UncertainLevel], out: NDArray[np.float32], *, start: int, stop: int) -> None:
    for n, level in enumerate(levels):
        if level.loadings is None or level.shocks is None:
            out[:, n] = 0.0
        else:
            np.matmul(level.loadings, level.shocks[:, start:stop], out=out[:, n])
    np.clip(out, -LARGEST_EXPONENT, LARGEST_EXPONENT, out=out)
    np.exp(out, out=out)
