"""Sales net of refunds: level, growth, season of the year, weekday; and the costs that follow them."""

from forecasting.drivers.contribution import Contribution, Driver, Setting
from forecasting.drivers.followed import less_costs
from forecasting.drivers.prepaid import prepaid
from forecasting.kernel.inputs import Factor


def contribute(setting: Setting) -> Contribution:
    """One factor for sales and their costs, because both move together, and the daily noise.

    On the free basis what is paid ahead counts when it is earned.
    """
    sales = setting.company.sales
    if sales is None:
        return Contribution()
    daily = sales.expected(first_day=setting.first_day, days=setting.horizon_days)
    ahead = prepaid(setting)
    daily = daily if ahead is None else ahead.earned(daily)
    net = less_costs(daily, sales, setting)
    factor = Factor(name="sales", daily=net.daily, lvl=sales.lvl, g=sales.g, gsd=sales.gsd, rw=sales.rw)
    return Contribution(
        factors=(factor,),
        fixed=-net.owed,
        shock_variance=sales.variance_per_day * net.kept_variance + net.variance_per_day,
        persistent_sd=net.persistent_sd,
    )


DRIVER = Driver(name="sales", label="Sales and their costs", contribute=contribute)
