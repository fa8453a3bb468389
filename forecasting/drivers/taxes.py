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
    """A factor with a payment on every instalment day of the horizon, and one for taxes on income that has come.

    What will be due for income to come belongs to that income (`drivers/followed.py`).
    """
    factors = []
    taxes = setting.company.taxes
    if taxes is not None:
        daily = setting.per_day(*_instalments(setting))
        factors.append(Factor(name="taxes", daily=daily, lvl=taxes.lvl, g=taxes.g, gsd=GROWTH_SD, rw=WALK_SD))
    on_sales = setting.company.sales_taxes
    if on_sales:
        daily = -sum((setting.per_day(tax.day, tax.owed()) for tax in on_sales), np.zeros(setting.horizon_days))
        share_sd = max(tax.share_sd for tax in on_sales)
        factors.append(Factor(name="sales tax", daily=daily, lvl=share_sd, g=0.0, gsd=0.0, rw=0.0))
    return Contribution(factors=tuple(factors))


def next_events(setting: Setting) -> tuple[DatedEvent, ...]:
    """The instalments, and taxes on sales with the share of income that is expected yet."""
    due: list[tuple[str, Days, Floats]] = []
    if setting.company.taxes is not None:
        due.append(("Company tax", *_instalments(setting)))
    income = setting.company.sales or setting.company.invoiced
    if income is not None:
        for tax in setting.company.sales_taxes:
            amount = tax.owed() + tax.expected(income, first_day=setting.first_day)
            due.append(("Tax on sales", tax.day, -amount))
    return tuple(
        DatedEvent(setting.days_ahead(d), "tax", label, a)
        for label, day, amount in due
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
