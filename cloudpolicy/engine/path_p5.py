"""What a forecast would say along single futures, read from the crowd of all of them.

Simulating 10,000 futures anew from every day of every future would take a day. But futures that stand at about
the same balance on the same day know about the same: the fifth of a hundred of their remaining runways is the p5
that a forecast made there would say.
"""

import numpy as np
from numpy.typing import NDArray

NEIGHBOURS = 200
QUANTILE = 0.05


def p5_along_paths(
    *, balances: NDArray[np.float32], runway_days: NDArray[np.int32], chosen: NDArray[np.intp], days: int
) -> NDArray[np.float64]:
    """Remaining p5 of chosen futures on the first days.

    Args:
        balances: [horizon, paths], closing balances.
        runway_days: [paths]; horizon plus one where cash outlasts it.
        chosen: indices of futures.
        days: how many days from the start; fewer than the horizon.

    Returns:
        float64 [days, chosen]; zero once a future has run out. A p5 that the horizon cuts off is at least what is
        told, so only days on which the rest of the horizon is longer than the policy's highest threshold are of
        use.
    """
    told = np.zeros((days, len(chosen)))
    for day in range(days):
        alive = np.flatnonzero(runway_days > day + 1)
        if not alive.size:
            break
        order = alive[np.argsort(balances[day, alive], kind="stable")]
        left = runway_days[order] - (day + 1)
        place_of = np.full(runway_days.shape, -1, np.intp)
        place_of[order] = np.arange(order.size)
        places = place_of[chosen]
        living = places >= 0
        window = min(NEIGHBOURS, order.size)
        first = np.clip(places[living] - window // 2, 0, order.size - window)
        near = left[first[:, None] + np.arange(window)]
        rank = int(QUANTILE * (window - 1))
        told[day, living] = np.partition(near, rank, axis=1)[:, rank]
    return told
