"""Payments that come once or never: tranches and dated lumps.

A continuous delay is rounded to the nearest day, so that its mean stays what was stated. What is due and has not
come by the as-of date arrives from day 1 on.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.calendar import MonthSteps
from forecasting.kernel.inputs import DatedLump, Tranche
from forecasting.kernel.shocks import Shocks

# Less of a delay's law than this left after so long a wait: what is left decays like an exponential.
_SPENT = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class DatedPayment:
    """One amount, at most once per path.

    Attributes:
        day_indexes: int32 [paths]; `horizon_days` or later where it does not arrive in time.
    """

    day_indexes: NDArray[np.int32]
    amount: float


@dataclass(frozen=True, slots=True, eq=False)
class TrancheArrival:
    """A tranche on every path.

    Attributes:
        if_it_comes: int32 [paths], when it comes where it does at all; `horizon_days` where that is too late.
        comes: bool [paths].
    """

    if_it_comes: NDArray[np.int32]
    comes: NDArray[np.bool_]
    amount: float
    horizon_days: int

    @property
    def day_indexes(self) -> NDArray[np.int32]:
        """int32 [paths], `horizon_days` where it does not arrive."""
        return np.where(self.comes, self.if_it_comes, np.int32(self.horizon_days))


def draw_tranche(*, tranche: Tranche, shocks: Shocks, steps: MonthSteps) -> TrancheArrival:
    """Day of receipt on every path: with `probability` planned day + Gamma delay, else never."""
    law = arrival_day_cdf(tranche=tranche, horizon_days=steps.days)
    return TrancheArrival(
        if_it_comes=shocks.uniform(kind="tranche delay", name=tranche.name).row.counts(cumulative=law),
        comes=shocks.uniform(kind="tranche", name=tranche.name).uniforms < tranche.probability,
        amount=tranche.amount,
        horizon_days=steps.days,
    )


def draw_dated_lump(*, lump: DatedLump, shocks: Shocks, steps: MonthSteps) -> DatedPayment:
    """Day of payment on every path: with `probability` max(day + N(0, sd), 0) + Exp(mean), else never.

    The exponential has no memory, so an overdue payment waits as long from day 0 as a punctual one from its day.
    """
    horizon_days = steps.days
    when = np.full(shocks.paths, float(lump.day))
    if lump.delay_sd_days > 0.0:
        when += np.float64(lump.delay_sd_days) * shocks.normal(kind="lump shift", name=lump.name)
    np.maximum(when, 0.0, out=when)
    if lump.delay_exp_days > 0.0:
        when += lump.delay_exp_days * _waits(name=lump.name, shocks=shocks)
    np.rint(when, out=when)
    np.clip(when, 1, horizon_days + 1, out=when)
    days = when.astype(np.int32)
    days -= 1
    if lump.probability < 1.0:
        chance = shocks.uniform(kind="lump", name=lump.name).uniforms
        np.copyto(days, horizon_days, where=chance >= lump.probability)
    return DatedPayment(day_indexes=days, amount=lump.amount)


def _waits(*, name: str, shocks: Shocks) -> NDArray[np.float64]:
    """float64 [paths], exponential with mean one."""

    def draw() -> NDArray[np.float64]:
        waits = -np.log1p(-shocks.uniform(kind="lump delay", name=name).uniforms.astype(np.float64))
        waits.setflags(write=False)
        return waits

    return shocks.derived(("waits", name), draw)


# A tranche stays what it is from event to event, and from one scenario to the next.
@lru_cache(maxsize=256)
def arrival_day_cdf(*, tranche: Tranche, horizon_days: int) -> NDArray[np.float64]:
    """float64 [horizon_days]: probability that a tranche that comes at all has come by day 1, 2, ...

    An overdue tranche has not come by day 0, so its law is the delay's, given that the delay is longer than that.
    """
    law = _arrival_law(tranche, horizon_days)
    law.setflags(write=False)
    return law


def _arrival_law(tranche: Tranche, horizon_days: int) -> NDArray[np.float64]:
    by_day = _delay_cdf(tranche, np.arange(1, horizon_days + 1) - tranche.day)
    by_now = float(_delay_cdf(tranche, np.array([-tranche.day]))[0])
    if 1.0 - by_now >= _SPENT:
        return np.asarray((by_day - by_now) / (1.0 - by_now))
    if tranche.delay_sd_days == 0.0:
        return np.ones(horizon_days)
    scale_days = tranche.delay_sd_days**2 / tranche.delay_mean_days
    return np.asarray(-np.expm1(-np.arange(1, horizon_days + 1) / scale_days))


def _delay_cdf(tranche: Tranche, days_late: NDArray[np.int64]) -> NDArray[np.float64]:
    """P(delay, rounded to days, <= days_late)."""
    mean, sd = tranche.delay_mean_days, tranche.delay_sd_days
    if sd == 0.0:
        return np.where(days_late >= round(mean), 1.0, 0.0)
    from scipy.special import gammainc  # not at the top: only a forecast with late tranches need wait for it

    shape, scale = (mean / sd) ** 2, sd**2 / mean
    cumulative = gammainc(shape, np.maximum(days_late + 0.5, 0.0) / scale)
    return np.where(days_late >= 0, cumulative, 0.0)
