"""Customers' deposits: they lie in the bank until they are given back, and are never ours to spend."""

from forecasting.drivers.contribution import Contribution, Driver, Setting


def contribute(setting: Setting) -> Contribution:
    """Free basis only: the balance without them. Giving one back moves cash, and not what is ours."""
    stated = setting.history.liabilities
    if not setting.is_free or stated is None or not stated.deposits:
        return Contribution()
    return Contribution(opening=-float(stated.deposits))


DRIVER = Driver(name="customer_deposits", label="Customers' deposits", contribute=contribute)
