"""Compound Poisson lumps whose rate is itself uncertain.

With a Gamma rate the number of arrivals in a period is negative binomial, and given that number the arrivals are
independent and uniform over the period. So the count is drawn directly and no rate is ever needed.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.calendar import MonthSteps
from forecasting.kernel.inputs import LumpStream
from forecasting.kernel.shocks import ArrivalSlots, Shocks
from forecasting.kernel.soundness import UnsoundInputs

_NEGLIGIBLE = 1e-7  # a tenth of a path in a million
MOST_ARRIVALS_PER_PATH = 500


@dataclass(frozen=True, slots=True, eq=False)
class PoissonLumps:
    """The lumps of one stream.

    Attributes:
        counts: int32 [paths], arrivals between `first_day` and the horizon.
        slots: when in that time each comes and how large it is.
    """

    stream: LumpStream
    counts: NDArray[np.int32]
    slots: ArrivalSlots


def draw_poisson(*, stream: LumpStream, shocks: Shocks, steps: MonthSteps) -> PoissonLumps | None:
    """The arrivals of a stream on every path; None when it starts after the horizon.

    Raises:
        UnsoundInputs: a path has more lumps than `MOST_ARRIVALS_PER_PATH`.
    """
    exposed_days = steps.days - stream.first_day + 1
    if exposed_days < 1:
        return None
    cumulative = negative_binomial_cdf(
        shape=stream.rate_shape, rate_days=stream.rate_days, exposed_days=exposed_days
    )
    counts = shocks.uniform(kind="count", name=stream.name).row.counts(cumulative=cumulative)
    most = int(counts.max())
    if most > MOST_ARRIVALS_PER_PATH:
        raise UnsoundInputs(
            f"lump_streams {stream.name!r}: over {MOST_ARRIVALS_PER_PATH} lumps on one path; that is a daily flow"
        )
    return PoissonLumps(stream=stream, counts=counts, slots=shocks.arrival_slots(stream.name, slots=max(most, 1)))


def negative_binomial_cdf(*, shape: float, rate_days: float, exposed_days: float) -> NDArray[np.float64]:
    """P(N <= n) for n = 0, 1, ... until only a negligible rest is left; N counts arrivals in `exposed_days`
    at a rate per day distributed Gamma(shape, scale 1 / rate_days)."""
    growth = exposed_days / (rate_days + exposed_days)
    log_term = shape * math.log1p(-growth)
    total, cumulative = 0.0, []
    for n in range(MOST_ARRIVALS_PER_PATH + 1):
        total += math.exp(log_term)
        cumulative.append(min(total, 1.0))
        if 1.0 - total < _NEGLIGIBLE:
            break
        log_term += math.log((n + shape) / (n + 1.0) * growth)
    return np.array(cumulative)
