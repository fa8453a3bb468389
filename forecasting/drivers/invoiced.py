"""Invoiced income: customers who pay again and again. What they owe already is its beginning, not an extra."""

import numpy as np

from forecasting.drivers.contribution import Contribution, Driver, Setting
from forecasting.drivers.followed import less_costs
from forecasting.drivers.prepaid import prepaid
from forecasting.kernel.inputs import Factor


def contribute(setting: Setting) -> Contribution:
    """One factor, less what the open invoices already stand for, and the noise of receipts."""
    invoiced = setting.company.invoiced
    if invoiced is None:
        return Contribution()
    daily = invoiced.expected(first_day=setting.first_day, days=setting.horizon_days)
    begins, unknown = invoiced.begins, np.ones(setting.horizon_days)
    if begins is not None:
        unknown = begins.share_by(setting.first_day, setting.horizon_days)
    variance, persistent, daily = invoiced.variance_per_day * unknown, 0.0, daily * unknown
    owed = np.zeros(setting.horizon_days)
    ahead = prepaid(setting)
    daily = daily if ahead is None else ahead.earned(daily)
    if setting.company.sales is None:
        net = less_costs(daily, invoiced, setting)
        owed = net.owed
        daily, variance, persistent = (
            net.daily,
            variance * net.kept_variance + net.variance_per_day,
            net.persistent_sd,
        )
    factor = Factor(name="invoiced", daily=daily, lvl=invoiced.lvl, g=invoiced.g, gsd=invoiced.gsd, rw=invoiced.rw)
    return Contribution(factors=(factor,), fixed=-owed, shock_variance=variance, persistent_sd=persistent)


DRIVER = Driver(name="invoiced", label="Invoiced income", contribute=contribute)
