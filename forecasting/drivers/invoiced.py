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
    # Open invoices are paid in the order of this income, so they are its first days, as far as they go. Of large
    # pieces more may be open than months would bring: once the last is paid, those to be written are too.
    receivables = [owed for owed in setting.company.contracts.receivables if not owed.by_contract]
    covered = sum(owed.probability * owed.amount for owed in receivables)
    paid_by = max(
        (setting.days_ahead(owed.due_day) + owed.lateness.shift + owed.lateness.spread for owed in receivables),
        default=0.0,
    )
    from_then = invoiced.is_lumpy & (np.arange(1, setting.horizon_days + 1) > paid_by)
    unknown = np.where((np.cumsum(daily) > covered) | from_then, 1.0, 0.0)
    variance, persistent, daily = invoiced.variance_per_day * unknown, 0.0, daily * unknown
    ahead = prepaid(setting)
    daily = daily if ahead is None else ahead.earned(daily)
    if setting.company.sales is None:
        net = less_costs(daily, invoiced, setting)
        daily, variance, persistent = net.daily, variance + net.variance_per_day, net.persistent_sd
    factor = Factor(name="invoiced", daily=daily, lvl=invoiced.lvl, g=invoiced.g, gsd=invoiced.gsd, rw=invoiced.rw)
    return Contribution(factors=(factor,), shock_variance=variance, persistent_sd=persistent)


DRIVER = Driver(name="invoiced", label="Invoiced income", contribute=contribute)
