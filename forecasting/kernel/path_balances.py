"""Single futures, day by day: what a quarter of the paths have in the bank, and when each runs out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.blas import use_one_blas_thread
from forecasting.kernel.block import PathBlock
from forecasting.kernel.cash_terms import cash_terms
from forecasting.kernel.charted_paths import ChartedPaths
from forecasting.kernel.inputs import ForecastInputs
from forecasting.kernel.path_blocks import blocks
from forecasting.kernel.shocks import Shocks
from forecasting.kernel.soundness import check_inputs


@dataclass(frozen=True, slots=True, eq=False)
class PathBalances:
    """Attributes:
    balances: float32 [horizon, paths], closing balances.
    runway_days: int32 [paths], first day with a balance of zero; the horizon plus one when there is none.
    """

    balances: NDArray[np.float32]
    runway_days: NDArray[np.int32]


def path_balances(inputs: ForecastInputs, shocks: Shocks) -> PathBalances:
    """The paths that are charted (`charted_paths.py`), each with its own days.

    Raises:
        UnsoundInputs: the inputs are not finite or out of range.
        NonFinitePaths: a balance overflowed on the way.
    """
    check_inputs(inputs)
    use_one_blas_thread()
    terms = cash_terms(inputs, shocks)
    charted = ChartedPaths(terms)
    runways = []
    for start, stop in blocks(shocks.paths):
        block = PathBlock(terms, start=start, stop=stop)
        charted.add(block)
        runways.append(block.runway_days()[: charted.paths_of(start)])
    return PathBalances(balances=charted.balances, runway_days=np.concatenate(runways))
