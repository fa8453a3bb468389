"""The smallest balance that counts as money.

Levels, and a month's balances, are float32 (24 bits). A balance nearer to zero than a millionth of the company's
own size is below what that arithmetic tells apart, so it counts as zero: a burn that divides the balance evenly
ends on the day it should, whatever the last bit says. So does half a millionth of the currency unit, because
money has six decimals. In days it is a rounding: at most a millionth of the opening
balance or of a month's gross flows.
"""

import numpy as np

from forecasting.kernel.calendar import month_steps
from forecasting.kernel.inputs import ForecastInputs

RELATIVE_RESOLUTION = 2.0**-20
HALF_OF_THE_LAST_DECIMAL = 0.5e-6


def smallest_balance(inputs: ForecastInputs) -> float:
    """Balances at or below this are zero."""
    steps = month_steps(as_of_day=inputs.as_of_day, horizon_days=inputs.horizon_days)
    gross = np.abs(inputs.fixed) + inputs.persistent_sd
    for flow in (*inputs.factors, *(cloud.usage for cloud in inputs.cloud)):
        gross = gross + np.abs(flow.daily)
    busiest_month = np.bincount(steps.step_of_day, weights=gross).max()
    size = float(abs(inputs.opening_balance) + busiest_month)
    return max(RELATIVE_RESOLUTION * size, HALF_OF_THE_LAST_DECIMAL)
