"""The leak: what past forecasts of this company's streams and pool missed, and how sure that makes the next."""

import numpy as np

from forecasting.drivers.contribution import Contribution, Driver, Setting
from forecasting.fit.pool import IN, OUT
from forecasting.fit.recurring import expect


def contribute(setting: Setting) -> Contribution:
    """A flat flow that makes up for the bias, and an error that a path keeps; each direction has its own."""
    flat = persistent = 0.0
    for direction in (OUT, IN):
        leak = setting.company.leaks[direction]
        expected = _expected_per_day(setting, direction)
        flat += (leak.correction - 1.0) * expected
        persistent = float(np.hypot(persistent, leak.sd * expected))
    if not flat and not persistent:
        return Contribution()
    return Contribution(fixed=np.full(setting.horizon_days, flat), persistent_sd=persistent)


def _expected_per_day(setting: Setting, direction: int) -> float:
    """Signed mean flow per day of streams and pool in one direction."""
    company = setting.company
    found = expect(company.streams, days=setting.horizon_days, calendar=company.calendar)
    right = found.amount > 0 if direction == IN else found.amount < 0
    flow = float(found.amount[right].sum()) / setting.horizon_days
    pool = company.pools[direction]
    return flow + (pool.mean_per_day + pool.lumps_per_day if pool is not None else 0.0)


DRIVER = Driver(name="leak", label="What past forecasts missed", contribute=contribute)
