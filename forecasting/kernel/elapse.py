"""The same company some days later, if those days went as the inputs expect: the passing of time and nothing else.

The opening balance moves by what the days were expected to bring at level 1, calendars move nearer, and what was
uncertain still is. Single payments and tranches that have not come by then stay open: overdue, not lost.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.expected_lumps import expected_lumps
from forecasting.kernel.inputs import CloudUsage, CreditGrant, ForecastInputs


def elapse(inputs: ForecastInputs, *, days: int) -> ForecastInputs:
    """The inputs as they stand `days` later; the horizon ends on the same day, so it is shorter.

    With certain flows alone the runway is exactly `days` shorter.

    Raises:
        ValueError: fewer than no days, or as many as the horizon has.
    """
    if not 0 <= days < inputs.horizon_days:
        raise ValueError(f"days: must be 0 to {inputs.horizon_days - 1}, is {days}")
    clouds = [_elapse_cloud(cloud, as_of_day=inputs.as_of_day, days=days) for cloud in inputs.cloud]
    bills = np.sum([cloud.bills for cloud in clouds], axis=0) if clouds else np.zeros(inputs.horizon_days)
    return replace(
        inputs,
        as_of_day=inputs.as_of_day + days,
        opening_balance=inputs.opening_balance + expected_flow(inputs, days=days),
        horizon_days=inputs.horizon_days - days,
        factors=tuple(replace(factor, daily=factor.daily[days:]) for factor in inputs.factors),
        fixed=(inputs.fixed - bills)[days:],
        shock_sd_per_day=inputs.shock_sd_per_day[days:],
        persistent_sd=inputs.persistent_sd[days:],
        lump_streams=tuple(
            replace(stream, first_day=max(1, stream.first_day - days)) for stream in inputs.lump_streams
        ),
        dated_lumps=tuple(replace(lump, day=lump.day - days) for lump in inputs.dated_lumps),
        tranches=tuple(replace(tranche, day=tranche.day - days) for tranche in inputs.tranches),
        cloud=tuple(cloud.usage for cloud in clouds),
    )


def expected_flow(inputs: ForecastInputs, *, days: int) -> float:
    """What the first `days` days bring at level 1, signed; single payments and tranches apart."""
    flow = float(inputs.fixed[:days].sum()) + sum(float(factor.daily[:days].sum()) for factor in inputs.factors)
    for stream in inputs.lump_streams:
        flow += float(expected_lumps(stream, days=days).sum())
    for cloud in inputs.cloud:
        flow -= float(_elapse_cloud(cloud, as_of_day=inputs.as_of_day, days=days).bills[:days].sum())
    return flow


@dataclass(frozen=True, slots=True, eq=False)
class _ElapsedCloud:
    """One provider some days later; bills issued meanwhile on the days they are paid, float64 [horizon]."""

    usage: CloudUsage
    bills: NDArray[np.float64]


def _elapse_cloud(cloud: CloudUsage, *, as_of_day: int, days: int) -> _ElapsedCloud:
    horizon = cloud.usage.daily.shape[0]
    bills = np.zeros(horizon)
    left = [grant.remaining for grant in cloud.grants]
    unbilled = cloud.unbilled
    for day in range(1, days + 1):
        today = np.datetime64(as_of_day + day, "D")
        if today == today.astype("M8[M]").astype("M8[D]"):
            due = _invoice_day(today, cloud.invoice_day_of_month) - as_of_day
            if due <= horizon:
                bills[due - 1] += unbilled
            unbilled = 0.0
        usage = float(cloud.usage.daily[day - 1])
        payable = cloud.payable * usage
        for n, grant in enumerate(cloud.grants):
            if grant.expires_day >= day:
                drawn = min(payable, left[n])
                left[n] -= drawn
                payable -= drawn
                usage -= drawn
        unbilled += usage
    return _ElapsedCloud(
        usage=replace(
            cloud,
            usage=replace(cloud.usage, daily=cloud.usage.daily[days:]),
            unbilled=unbilled,
            grants=tuple(
                CreditGrant(remaining=remaining, expires_day=grant.expires_day - days)
                for grant, remaining in zip(cloud.grants, left, strict=True)
            ),
        ),
        bills=bills,
    )


def _invoice_day(first_of_month: np.datetime64, day_of_month: int) -> int:
    """Days since 1970-01-01 of the day on which the month before is paid."""
    start = int(first_of_month.astype(np.int64))
    following = int((first_of_month.astype("M8[M]") + np.timedelta64(1, "M")).astype("M8[D]").astype(np.int64))
    return min(start + day_of_month, following) - 1
