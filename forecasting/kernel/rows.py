"""What differs from path to path within a month: one number per path, month and row, all of them zero or more.

Rows are the factor levels, the positive and the negative part of the persistent error, the cloud invoices, and a
row of ones that carries certain flows. A balance is linear in them, so bounds of the coefficients bound it too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.cash_terms import CashTerms, UncertainLevel
from forecasting.kernel.levels import LARGEST_EXPONENT
from forecasting.kernel.shared_parts import SharedParts


@dataclass(frozen=True, slots=True, eq=False)
class MonthRows:
    """The rows of one block, and what they come to month by month.

    Attributes:
        rows: float32 [steps, rows, paths], in the order of `CashTerms.daily`.
        totals: float32 [steps, paths], what they move in the whole month, without certain flows.
        lowest: float32 [steps, paths], a bound from below of what they move up to any day of it, certain flows
            included.
    """

    rows: NDArray[np.float32]
    totals: NDArray[np.float32]
    lowest: NDArray[np.float32]


def month_rows(terms: CashTerms, *, start: int, stop: int, shared: SharedParts | None = None) -> MonthRows:
    """The rows of paths start .. stop - 1."""
    # In memory a row's months lie together, because they are computed together.
    rows = np.empty((terms.rows, terms.steps.count, stop - start), np.float32).transpose(1, 0, 2)
    _write_rows(terms, rows, start=start, stop=stop, shared=shared)
    totals, lowest = np.empty((2, terms.steps.count, stop - start), np.float32)
    screened = np.empty((terms.screens.shape[1], stop - start), np.float32)
    for step in range(terms.steps.count):  # one month fits the processor's cache, a year does not
        np.matmul(terms.screens[step], rows[step], out=screened)
        totals[step] = screened[0]
        np.min(screened[1:], axis=0, out=lowest[step])
    return MonthRows(rows=rows, totals=totals, lowest=lowest)


def _write_rows(
    terms: CashTerms, rows: NDArray[np.float32], *, start: int, stop: int, shared: SharedParts | None
) -> None:
    row = len(terms.levels)
    _write_levels(terms.levels, rows[:, :row], start=start, stop=stop, shared=shared)
    if terms.persistent is not None:
        error = terms.persistent[start:stop]
        rows[:, row] = np.maximum(error, 0.0)
        rows[:, row + 1] = np.maximum(-error, 0.0)
        row += 2
    if terms.clouds:
        usage = np.empty((terms.steps.count, len(terms.clouds), stop - start), np.float32)
        _write_levels(terms.cloud_levels, usage, start=start, stop=stop, shared=shared)
        for n, cloud in enumerate(terms.clouds):
            rows[0, row + n] = 0.0
            rows[1:, row + n] = cloud.unpaid(usage[:, n])[:-1]
    rows[:, -1] = 1.0


def _write_levels(
    levels: Sequence[UncertainLevel],
    out: NDArray[np.float32],
    *,
    start: int,
    stop: int,
    shared: SharedParts | None,
) -> None:
    for n, level in enumerate(levels):
        months = out[:, n]
        if level.loadings is None or level.shocks is None:
            months[:] = 1.0
        elif shared is None:
            _write_level(level.loadings, level.shocks[:, start:stop], months)
        else:
            months[:] = shared.get(
                ("level", start, level.key),
                partial(_level, level.loadings, level.shocks[:, start:stop]),
                nbytes=lambda kept: kept.nbytes,
            )


def _level(loadings: NDArray[np.float32], shocks: NDArray[np.float32]) -> NDArray[np.float32]:
    months = np.empty((loadings.shape[0], shocks.shape[1]), np.float32)
    _write_level(loadings, shocks, months)
    return months


def _write_level(loadings: NDArray[np.float32], shocks: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    np.matmul(loadings, shocks, out=out)
    np.clip(out, -LARGEST_EXPONENT, LARGEST_EXPONENT, out=out)
    np.exp(out, out=out)
