"""Deferred revenue: cash of contracts not delivered yet. It is a liability, and becomes ours day by day."""

import numpy as np

from forecasting.drivers.contribution import Contribution, Driver, Setting
from forecasting.fit.deferred import unearned


def contribute(setting: Setting) -> Contribution:
    """Free basis only: the balance without what is unearned, and its release over the days that are left."""
    if not setting.is_free:
        return Contribution()
    opening, release = 0.0, np.zeros(setting.horizon_days)
    for contract in unearned(setting.history):
        opening -= contract.amount
        days = min(contract.days_left, setting.horizon_days)
        release[:days] += contract.amount / contract.days_left
    return Contribution(opening=opening, fixed=release) if opening else Contribution()


DRIVER = Driver(name="deferred_revenue", label="Unearned revenue", contribute=contribute)
