"""Annual contracts: renewals as single uncertain payments, and new customers who arrive by chance.

On the free basis the cash of a deferred contract is not ours when it comes; it is earned day by day over the term.
"""

import numpy as np
from numpy.typing import NDArray

from forecasting.drivers.contribution import Contribution, DatedEvent, Driver, Setting, slot_names
from forecasting.drivers.many_payments import single_and_many
from forecasting.fit.contracts import DEAL_FIRST_DAY, DEAL_LOG_SD, RENEWAL_SD_DAYS, Renewal
from forecasting.kernel.inputs import DatedLump, Factor, LumpStream

Floats = NDArray[np.float64]

MOST_SINGLE_DEALS = 64  # expected within the horizon


def contribute(setting: Setting) -> Contribution:
    """Renewals and new deals, as cash or as earned."""
    contracts = setting.company.contracts
    cash = [renewal for renewal in contracts.renewals if not (setting.is_free and renewal.deferred)]
    earned = [renewal for renewal in contracts.renewals if setting.is_free and renewal.deferred]
    factors = []
    if earned:
        factors.append(_earned_renewals(setting, earned))
    deals = setting.is_free and contracts.deals_deferred
    if deals and len(contracts.deal_sizes):
        factors.append(_earned_deals(setting))
    won = len(contracts.deal_sizes) > 0 and not deals
    as_flow = won and _expected_deals(setting) > MOST_SINGLE_DEALS
    variance: float | Floats = 0.0
    if as_flow:
        factors.append(_flow_of_deals(setting))
        variance = _deals_variance(setting)
    names = slot_names("renewal", (renewal.customer for renewal in cash))
    lumps = [
        DatedLump(
            name=name,
            day=setting.days_ahead(renewal.day),
            amount=renewal.amount,
            probability=renewal.probability,
            delay_sd_days=RENEWAL_SD_DAYS,
        )
        for name, renewal in zip(names, cash, strict=True)
    ]
    single, many = single_and_many(lumps, name="small renewals", horizon_days=setting.horizon_days)
    return Contribution(
        factors=(*factors, *many),
        shock_variance=variance,
        dated_lumps=single,
        lump_streams=(_deals(setting),) if won and not as_flow else (),
    )


def next_events(setting: Setting) -> tuple[DatedEvent, ...]:
    """Renewals."""
    return tuple(
        DatedEvent(
            day=max(1, setting.days_ahead(renewal.day)),
            kind="renewal",
            label=f"{renewal.customer} renews",
            amount=renewal.amount,
            probability=renewal.probability,
        )
        for renewal in setting.company.contracts.renewals
        if setting.days_ahead(renewal.day) <= setting.horizon_days
    )


def _deals(setting: Setting) -> LumpStream:
    contracts = setting.company.contracts
    return LumpStream(
        name="new contracts",
        rate_shape=len(contracts.deal_sizes) + 0.5,
        rate_days=contracts.deal_days,
        sizes=contracts.deal_sizes,
        size_log_sd=DEAL_LOG_SD,
        first_day=DEAL_FIRST_DAY,
    )


def _expected_deals(setting: Setting) -> float:
    contracts = setting.company.contracts
    return (len(contracts.deal_sizes) + 0.5) / contracts.deal_days * setting.horizon_days


def _flow_of_deals(setting: Setting) -> Factor:
    """New customers who come every few days are a flow; how many come is as doubtful as it is of single ones."""
    deals = _deals(setting)
    mean = float(deals.sizes.mean()) * float(np.exp(DEAL_LOG_SD**2 / 2))
    daily = np.where(_selling(setting), deals.rate_shape / deals.rate_days * mean, 0.0)
    return Factor(name=deals.name, daily=daily, lvl=float(1 / np.sqrt(deals.rate_shape)))


def _deals_variance(setting: Setting) -> Floats:
    """float64 [horizon]: of a day's deals, by chance."""
    deals = _deals(setting)
    square = float((deals.sizes**2).mean()) * float(np.exp(2 * DEAL_LOG_SD**2))
    return np.where(_selling(setting), deals.rate_shape / deals.rate_days * square, 0.0)


def _selling(setting: Setting) -> NDArray[np.bool_]:
    return np.arange(1, setting.horizon_days + 1) >= DEAL_FIRST_DAY


def _earned_renewals(setting: Setting, renewals: list[Renewal]) -> Factor:
    """Expected earnings of renewed terms; the spread of the sum of yes and no becomes the level's."""
    day = np.arange(1, setting.horizon_days + 1)
    daily = np.zeros(setting.horizon_days)
    variance = total = 0.0
    for renewal in renewals:
        start = max(1, setting.days_ahead(renewal.day))
        daily += np.where(day >= start, renewal.probability * renewal.amount / renewal.term_days, 0.0)
        total += renewal.probability * renewal.amount
        variance += renewal.probability * (1 - renewal.probability) * renewal.amount**2
    return Factor(name="earned renewals", daily=daily, lvl=min(1.0, float(np.sqrt(variance)) / total))


def _earned_deals(setting: Setting) -> Factor:
    """Expected earnings of deals still to be won: a rate that builds up day by day, over the term of each."""
    contracts = setting.company.contracts
    rate = (len(contracts.deal_sizes) + 0.5) / contracts.deal_days
    mean, square = float(contracts.deal_sizes.mean()), float((contracts.deal_sizes**2).mean())
    day = np.arange(1, setting.horizon_days + 1)
    selling = np.clip(day - DEAL_FIRST_DAY + 1, 0, contracts.deal_term_days)
    daily = rate * mean * selling / contracts.deal_term_days
    expected_deals = max(rate * float(selling[-1]), 1e-9)
    lvl = float(np.sqrt(square / mean**2 / expected_deals))
    return Factor(name="earned deals", daily=daily, lvl=min(1.0, lvl))


DRIVER = Driver(name="contracts", label="Annual contracts", contribute=contribute, next_events=next_events)
