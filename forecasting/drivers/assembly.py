"""Add up what the drivers contribute: the inputs of one simulation."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.drivers.contribution import Contribution, Driver, Setting
from forecasting.drivers.registry import all_drivers
from forecasting.kernel.inputs import ForecastInputs

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Part:
    """A driver and what it contributed to this company."""

    driver: Driver
    contribution: Contribution


def contributions(setting: Setting) -> tuple[Part, ...]:
    """Every driver that has something to say, in the registry's order."""
    parts = (Part(driver=driver, contribution=driver.contribute(setting)) for driver in all_drivers())
    return tuple(part for part in parts if not part.contribution.is_empty)


def assemble(setting: Setting, parts: tuple[Part, ...]) -> ForecastInputs:
    """The sum of the parts on top of the cash balance."""
    pieces = [part.contribution for part in parts]
    days = setting.horizon_days
    fixed = np.zeros(days)
    for piece in pieces:
        if piece.fixed is not None:
            fixed += piece.fixed
    shock_variance = np.zeros(days)
    for piece in pieces:
        shock_variance += piece.shock_variance
    persistent_variance = sum(piece.persistent_sd**2 for piece in pieces)
    return ForecastInputs(
        as_of_day=setting.company.as_of_day,
        opening_balance=setting.company.cash + sum(piece.opening for piece in pieces),
        horizon_days=days,
        factors=tuple(factor for piece in pieces for factor in piece.factors),
        fixed=fixed,
        shock_sd_per_day=np.sqrt(shock_variance),
        persistent_sd=np.full(days, float(np.sqrt(persistent_variance))),
        lump_streams=tuple(stream for piece in pieces for stream in piece.lump_streams),
        dated_lumps=tuple(lump for piece in pieces for lump in piece.dated_lumps),
        tranches=tuple(tranche for piece in pieces for tranche in piece.tranches),
        cloud=tuple(cloud for piece in pieces for cloud in piece.cloud),
    )


def expected_per_day(contribution: Contribution, *, horizon_days: int) -> float:
    """Mean flow per day over the horizon as far as it is planned: at level 1, tranches and invoices as expected.

    A size for people to compare drivers by, not an input of anything.
    """
    total = sum(float(factor.daily.sum()) for factor in contribution.factors)
    if contribution.fixed is not None:
        total += float(contribution.fixed.sum())
    total += sum(
        stream.rate_shape / stream.rate_days * float(stream.sizes.mean()) * (horizon_days - stream.first_day + 1)
        for stream in contribution.lump_streams
    )
    total += sum(lump.probability * lump.amount for lump in contribution.dated_lumps if lump.day <= horizon_days)
    total += sum(
        tranche.probability * tranche.amount
        for tranche in contribution.tranches
        if tranche.day + tranche.delay_mean_days <= horizon_days
    )
    for cloud in contribution.cloud:
        usage = float(cloud.usage.daily.sum()) + cloud.unbilled
        credited = sum(
            min(grant.remaining, cloud.payable * float(cloud.usage.daily[: max(grant.expires_day, 0)].sum()))
            for grant in cloud.grants
        )
        total -= max(0.0, usage - credited)
    return total / horizon_days
