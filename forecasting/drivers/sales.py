"""Sales net of refunds: level, growth, season of the year, weekday."""

from forecasting.drivers.contribution import Contribution, Driver, Setting
from forecasting.kernel.inputs import Factor


def contribute(setting: Setting) -> Contribution:
    """One factor, and the daily noise of sales."""
    sales = setting.company.sales
    if sales is None:
        return Contribution()
    daily = sales.expected(first_day=setting.first_day, days=setting.horizon_days)
    factor = Factor(name="sales", daily=daily, lvl=sales.lvl, g=sales.g, gsd=sales.gsd, rw=sales.rw)
    return Contribution(factors=(factor,), shock_variance=sales.variance_per_day)


DRIVER = Driver(name="sales", label="Sales", contribute=contribute)
