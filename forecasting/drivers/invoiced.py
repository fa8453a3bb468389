"""Invoiced income: customers who pay again and again. What they owe already is its beginning, not an extra."""

from forecasting.drivers.contribution import Contribution, Driver, Setting
from forecasting.kernel.inputs import Factor

LEAST_DAYS = 14


def contribute(setting: Setting) -> Contribution:
    """One factor, less what the open invoices already stand for, and the noise of receipts."""
    invoiced = setting.company.invoiced
    if invoiced is None:
        return Contribution()
    daily = invoiced.expected(first_day=setting.first_day, days=setting.horizon_days)
    owed = [owed for owed in setting.company.contracts.receivables if not owed.by_contract]
    if owed:
        # Until the last of them is due, the open invoices are this income, as far as they go.
        days = min(max(LEAST_DAYS, *(setting.days_ahead(one.due_day) for one in owed)), setting.horizon_days)
        covered = sum(one.probability * one.amount for one in owed)
        expected = float(daily[:days].sum())
        daily[:days] *= max(0.0, 1.0 - covered / expected) if expected > 0 else 1.0
    factor = Factor(name="invoiced", daily=daily, lvl=invoiced.lvl, g=invoiced.g, gsd=invoiced.gsd, rw=invoiced.rw)
    return Contribution(factors=(factor,), shock_variance=invoiced.variance_per_day)


DRIVER = Driver(name="invoiced", label="Invoiced income", contribute=contribute)
