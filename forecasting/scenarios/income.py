"""Income from customers, as changes turn it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from forecasting.drivers.contribution import Setting
from forecasting.scenarios.change import Told
from ledger.domain.flows import day_number

Floats = NDArray[np.float64]


def gross_income(setting: Setting) -> dict[str, Floats]:
    """float64 [horizon] of expected income before costs, by the driver that carries it."""
    fitted = {"sales": setting.company.sales, "invoiced": setting.company.invoiced}
    return {
        name: income.expected(first_day=setting.first_day, days=setting.horizon_days)
        for name, income in fitted.items()
        if income is not None
    }


def has_income(setting: Setting) -> bool:
    """Whether customers are known to pay at all."""
    contracts = setting.company.contracts
    return bool(gross_income(setting)) or bool(contracts.renewals) or bool(len(contracts.deal_sizes))


def with_net(told: Told, driver: str, *, share: Floats, plus: Floats) -> Told:
    """One driver's income, costs taken off, times `share` and with `plus` on top, day by day.

    Both keep the level, growth and luck of the driver's factor.
    """
    contribution = told.contributions[driver]
    if not contribution.factors:
        return told
    (factor,) = contribution.factors
    changed = replace(factor, daily=factor.daily * share + plus)
    variance = np.broadcast_to(contribution.shock_variance, share.shape) * share**2
    return told.turned(
        driver,
        replace(
            contribution,
            factors=(changed,),
            shock_variance=variance,
            persistent_sd=contribution.persistent_sd * float(share.mean()),
        ),
    )


def with_renewals(
    setting: Setting,
    *,
    start: date,
    amount: Callable[[int], float],
    probability: Callable[[int], float],
    deals: float,
) -> Setting:
    """Renewals from `start` on with amount and probability times a factor of the days since; deals likewise."""
    contracts, first = setting.company.contracts, day_number(start)
    renewals = tuple(
        replace(
            each,
            amount=each.amount * amount(each.day - first),
            probability=each.probability * probability(each.day - first),
        )
        if each.day >= first
        else each
        for each in contracts.renewals
    )
    changed = replace(contracts, renewals=renewals, deal_sizes=contracts.deal_sizes * deals)
    return replace(setting, company=replace(setting.company, contracts=changed))
