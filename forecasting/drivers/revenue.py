"""Sales net of refunds: level, growth, season of the year, weekday."""

from forecasting.drivers.contribution import Contribution, Driver, Setting
from forecasting.kernel.inputs import Factor


def contribute(setting: Setting) -> Contribution:
    """One factor, and the daily noise of sales."""
    revenue = setting.company.revenue
    if revenue is None:
        return Contribution()
    daily = revenue.expected(first_day=setting.first_day, days=setting.horizon_days)
    factor = Factor(name="revenue", daily=daily, lvl=revenue.lvl, g=revenue.g, gsd=revenue.gsd, rw=revenue.rw)
    return Contribution(factors=(factor,), shock_variance=revenue.variance_per_day)


DRIVER = Driver(name="revenue", label="Sales", contribute=contribute)
