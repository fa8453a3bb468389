"""Everyday spending and other income: a weekly level that drifts, and lumps that arrive by chance."""

from forecasting.drivers.contribution import Contribution, Driver, Setting
from forecasting.fit.pool import FittedPool
from forecasting.kernel.inputs import Factor, LumpStream


def contribute(setting: Setting) -> Contribution:
    """Per direction a factor and a stream of lumps; the daily noise of both together."""
    factors, lumps, variance = [], [], 0.0
    for name, pool in zip(("spending", "other income"), setting.company.pools, strict=True):
        if pool is None:
            continue
        factors.append(_factor(name, pool, setting))
        variance += pool.variance_per_day
        if len(pool.possible_lumps):
            lumps.append(
                LumpStream(
                    name=f"{name} lumps",
                    rate_shape=pool.lump_shape,
                    rate_days=pool.lump_days,
                    sizes=pool.possible_lumps,
                )
            )
    return Contribution(factors=tuple(factors), lump_streams=tuple(lumps), shock_variance=variance)


def _factor(name: str, pool: FittedPool, setting: Setting) -> Factor:
    daily = pool.expected(first_day=setting.first_day, days=setting.horizon_days)
    return Factor(name=name, daily=daily, lvl=pool.lvl, g=pool.g, gsd=pool.gsd, rw=pool.rw)


DRIVER = Driver(name="pool", label="Everyday spending and one-offs", contribute=contribute)
