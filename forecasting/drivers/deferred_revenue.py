"""Deferred revenue: cash for what is not delivered yet. It is a liability, and becomes ours day by day."""

import numpy as np

from forecasting.drivers.contribution import Contribution, Driver, Setting
from forecasting.fit.deferred import unearned


def contribute(setting: Setting) -> Contribution:
    """Free basis only: the balance without what is unearned, and its release over the days that are left.

    What the ledger states goes before what terms of contracts let guess. What customers have in credit is owed for
    no time yet and is not released: the invoice that uses it will bring so much less cash than one expects.
    """
    if not setting.is_free:
        return Contribution()
    opening, release = 0.0, np.zeros(setting.horizon_days)
    stated = setting.history.liabilities
    if stated is not None and stated.release is not None:
        opening -= float(stated.unearned + stated.in_credit)
        days = min(len(stated.release), setting.horizon_days)
        release[:days] = [float(earned) for earned in stated.release[:days]]
    else:
        for contract in unearned(setting.history):
            opening -= contract.amount
            days = min(contract.days_left, setting.horizon_days)
            release[:days] += contract.amount / contract.days_left
    return Contribution(opening=opening, fixed=release) if opening else Contribution()


DRIVER = Driver(name="deferred_revenue", label="Unearned revenue", contribute=contribute)
