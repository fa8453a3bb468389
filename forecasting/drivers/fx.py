"""Exchange rates: cash held in another currency is worth more or less every day.

What is paid in another currency drifts with its own factor (see payroll and vendors); this is the revaluation of
balances, kept apart so that it is never blended into burn.
"""

import numpy as np

from forecasting.drivers.contribution import Contribution, Driver, Setting
from forecasting.fit.history import base_rates
from forecasting.fit.payroll import FX_MONTHLY_SD

DAYS_PER_MONTH = 30.4


def contribute(setting: Setting) -> Contribution:
    """A random walk of the balance with the sd of the rates; currencies move together, so amounts add up."""
    rates, base = base_rates(setting.history), setting.history.base_currency
    exposed = sum(
        abs(float(held)) * rates[code] for code, held in setting.history.cash.items() if code != base and held
    )
    return Contribution(shock_variance=(exposed * FX_MONTHLY_SD / float(np.sqrt(DAYS_PER_MONTH))) ** 2)


DRIVER = Driver(name="fx", label="Exchange rates on foreign cash", contribute=contribute)
