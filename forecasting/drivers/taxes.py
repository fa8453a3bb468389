"""Company taxes, in last year's instalments."""

import numpy as np
from numpy.typing import NDArray

from forecasting.drivers.contribution import Contribution, DatedEvent, Driver, Setting
from forecasting.kernel.inputs import Factor

Days = NDArray[np.int64]
Floats = NDArray[np.float64]

YEAR_DAYS = 365
GROWTH_SD, WALK_SD = 0.01, 0.02


def contribute(setting: Setting) -> Contribution:
    """One factor with a payment on every instalment day of the horizon."""
    taxes = setting.company.taxes
    if taxes is None:
        return Contribution()
    day, amount = _instalments(setting)
    daily = setting.per_day(day, amount)
    return Contribution(
        factors=(Factor(name="taxes", daily=daily, lvl=taxes.lvl, g=taxes.g, gsd=GROWTH_SD, rw=WALK_SD),)
    )


def next_events(setting: Setting) -> tuple[DatedEvent, ...]:
    """The instalments."""
    if setting.company.taxes is None:
        return ()
    day, amount = _instalments(setting)
    return tuple(
        DatedEvent(setting.days_ahead(d), "tax", "Company tax", a)
        for d, a in zip(day.tolist(), amount.tolist(), strict=True)
        if 1 <= setting.days_ahead(d) <= setting.horizon_days
    )


def _instalments(setting: Setting) -> tuple[Days, Floats]:
    taxes = setting.company.taxes
    assert taxes is not None
    years = np.arange(setting.horizon_days // YEAR_DAYS + 1)
    day = taxes.day[None, :] + YEAR_DAYS * years[:, None]
    return day.ravel(), np.tile(taxes.amount, len(years))


DRIVER = Driver(name="taxes", label="Company taxes", contribute=contribute, next_events=next_events)
