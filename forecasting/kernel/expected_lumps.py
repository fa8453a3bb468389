"""What lumps that come by chance come to on average."""

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.inputs import LumpStream


def expected_lumps(stream: LumpStream, *, days: int) -> NDArray[np.float64]:
    """float64 [days] of expected cash per day, signed: rate times mean size, from the stream's first day on."""
    mean = float(stream.sizes.mean()) * float(np.exp(stream.size_log_sd**2 / 2.0))
    day = np.arange(1, days + 1)
    return np.where(day >= stream.first_day, stream.rate_shape / stream.rate_days * mean, 0.0)
