"""Random companies, with a taste for edges: month ends, leap days, one-day horizons, cents and billions."""

from datetime import date

import numpy as np
from hypothesis import strategies as st

from forecasting.kernel.inputs import (
    CloudUsage,
    CreditGrant,
    DatedLump,
    Factor,
    ForecastInputs,
    LumpStream,
    Tranche,
)
from tests.forecasting.kernel.samples import epoch_day

AS_OF_DATES = st.sampled_from(
    [
        date(2024, 2, 28),
        date(2024, 2, 29),
        date(2025, 1, 31),
        date(2025, 2, 28),
        date(2025, 12, 31),
        date(2026, 1, 1),
        date(2026, 3, 10),
        date(2026, 4, 30),
    ]
)
# What one unit of money is: a cent-sized club to a conglomerate.
SCALES = st.sampled_from([0.01, 1.0, 1e3, 1e6, 1e9])


@st.composite
def per_day(draw: st.DrawFn, *, horizon: int, low: float, high: float, scale: float) -> np.ndarray:
    """A flat flow, a weekly one, or a few separate days."""
    shape = draw(st.sampled_from(["none", "flat", "weekly", "few"]))
    amount = draw(st.floats(low, high)) * scale
    days = np.arange(horizon)
    if shape == "none":
        return np.zeros(horizon)
    if shape == "flat":
        return np.full(horizon, amount)
    if shape == "weekly":
        return np.where(days % 7 < 5, amount, amount / 4)
    return np.where((days + draw(st.integers(0, 14))) % 15 == 0, amount * 15, 0.0)


@st.composite
def factors(draw: st.DrawFn, *, name: str, horizon: int, low: float, high: float, scale: float) -> Factor:
    some = st.sampled_from([0.0, 0.01, 0.1, 0.4])
    return Factor(
        name=name,
        daily=draw(per_day(horizon=horizon, low=low, high=high, scale=scale)),
        lvl=draw(some),
        g=draw(st.sampled_from([0.0, -0.05, 0.02])),
        gsd=draw(st.sampled_from([0.0, 0.005, 0.02])),
        rw=draw(some) / 4,
    )


@st.composite
def lump_streams(draw: st.DrawFn, *, name: str, scale: float) -> LumpStream:
    return LumpStream(
        name=name,
        rate_shape=draw(st.floats(0.5, 20)),
        rate_days=draw(st.floats(60, 800)),
        sizes=np.array(draw(st.lists(st.floats(-20, 20), min_size=1, max_size=5))) * scale,
        size_log_sd=draw(st.sampled_from([0.0, 0.25])),
        first_day=draw(st.sampled_from([1, 2, 35, 400])),
    )


@st.composite
def dated_lumps(draw: st.DrawFn, *, name: str, scale: float) -> DatedLump:
    return DatedLump(
        name=name,
        day=draw(st.integers(-60, 120)),
        amount=draw(st.floats(-50, 50)) * scale,
        probability=draw(st.sampled_from([0.0, 0.5, 0.98, 1.0])),
        delay_exp_days=draw(st.sampled_from([0.0, 12.0])),
        delay_sd_days=draw(st.sampled_from([0.0, 12.0])),
    )


@st.composite
def tranches(draw: st.DrawFn, *, name: str, scale: float) -> Tranche:
    mean = draw(st.sampled_from([0.0, 10.0, 45.0]))
    return Tranche(
        name=name,
        day=draw(st.integers(-400, 150)),
        amount=draw(st.floats(0, 200)) * scale,
        probability=draw(st.sampled_from([0.0, 0.6, 1.0])),
        delay_mean_days=mean,
        delay_sd_days=draw(st.sampled_from([0.0, 8.0])) if mean else 0.0,
    )


@st.composite
def clouds(draw: st.DrawFn, *, name: str, horizon: int, scale: float) -> CloudUsage:
    grants = draw(st.lists(st.tuples(st.integers(-5, 150), st.floats(0, 60)), max_size=3))
    return CloudUsage(
        usage=draw(factors(name=name, horizon=horizon, low=0.0, high=2.0, scale=scale)),
        invoice_day_of_month=draw(st.sampled_from([1, 5, 28, 31])),
        unbilled=draw(st.floats(0, 20)) * scale,
        grants=tuple(CreditGrant(remaining * scale, day) for day, remaining in sorted(grants)),
        payable=draw(st.sampled_from([1.0, 0.85, 0.0])),
    )


@st.composite
def companies(draw: st.DrawFn) -> ForecastInputs:
    horizon = draw(st.sampled_from([1, 2, 3, 21, 22, 59, 100, 130]))
    scale = draw(SCALES)

    def some(strategy, most: int, **arguments):
        return tuple(
            draw(strategy(name=f"{strategy.__name__} {n}", **arguments)) for n in range(draw(st.integers(0, most)))
        )

    return ForecastInputs(
        as_of_day=epoch_day(draw(AS_OF_DATES)),
        opening_balance=draw(st.one_of(st.just(0.0), st.floats(-10, 200))) * scale,
        horizon_days=horizon,
        factors=some(factors, 3, horizon=horizon, low=-4.0, high=3.0, scale=scale),
        fixed=draw(per_day(horizon=horizon, low=-1.0, high=1.0, scale=scale)),
        shock_sd_per_day=draw(per_day(horizon=horizon, low=0.0, high=2.0, scale=scale)),
        persistent_sd=draw(per_day(horizon=horizon, low=0.0, high=0.5, scale=scale)),
        lump_streams=some(lump_streams, 2, scale=scale),
        dated_lumps=some(dated_lumps, 2, scale=scale),
        tranches=some(tranches, 2, scale=scale),
        cloud=some(clouds, 2, horizon=horizon, scale=scale),
    )
