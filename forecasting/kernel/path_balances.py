"""Single futures, day by day: what the first paths have in the bank, and when each runs out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.inputs import ForecastInputs
from forecasting.kernel.shocks import Shocks
from forecasting.kernel.simulate import begin_walking, charted_paths, checked_terms, room_for


@dataclass(frozen=True, slots=True, eq=False)
class PathBalances:
    """Attributes:
    balances: float32 [horizon, paths], closing balances.
    runway_days: int32 [paths], first day with a balance of zero; the horizon plus one when there is none.
    """

    balances: NDArray[np.float32]
    runway_days: NDArray[np.int32]


def path_balances(inputs: ForecastInputs, shocks: Shocks, *, paths: int | None = None) -> PathBalances:
    """Some paths, each with its own days; default as many as a chart shows.

    Raises:
        UnsoundInputs: the inputs are not finite, out of range or longer than the shocks.
        NonFinitePaths: a balance overflowed on the way.
    """
    kept = charted_paths(shocks.paths) if paths is None else paths
    terms = checked_terms(inputs, shocks)
    found = room_for(terms, turned=0, charted=kept)
    for walked in begin_walking(terms, terms.turned(()), found, sort=False):
        walked.result()
    return PathBalances(balances=found.balances, runway_days=found.runway[:kept])
