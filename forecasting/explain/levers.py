"""What people can do about the runway: each change is simulated, none is a rule of thumb."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from forecasting.drivers.contribution import Contribution
from forecasting.drivers.registry import all_drivers
from forecasting.drivers.tranches import named_tranches
from forecasting.explain.stage import Answer, Stage
from forecasting.kernel.inputs import ForecastInputs
from forecasting.outcome import RunwayCase, is_least

Floats = NDArray[np.float64]

SHOWN_LEVERS = 3
LEAST_GAIN_DAYS = 0.5
NOTICE_DAYS = 30  # prices and contracts change with a month's notice
SPENDING_CUT, CLOUD_CUT, PAYROLL_CUT, PRICE_RISE = 0.10, 0.20, 0.05, 0.05
HIRES_WAIT_DAYS = 91
COLLECTED_WITHIN_DAYS = 7
PREPAYING_SHARE, PREPAY_DISCOUNT, PREPAY_SPREAD_DAYS = 0.20, 0.10, 30
SPENDING_DRIVERS = frozenset(("pool", "vendors", "leak"))


@dataclass(frozen=True, slots=True)
class Lever:
    """A change and what it buys.

    Attributes:
        kind: stable name; levers of different kinds are different things to do.
        p5_days, p50_days, mean_days: days gained.
        runway: with the change made.
        is_least: of p5, p50 and p95, whether at least so many days are gained (`forecasting.outcome.is_least`).
    """

    kind: str
    label: str
    p5_days: int
    p50_days: int
    mean_days: float
    runway: RunwayCase
    is_least: tuple[bool, bool, bool]


def best_levers(stage: Stage, *, base: Answer) -> tuple[Lever, ...]:
    """The three changes that buy most days of p5, then of p50, then of the mean; what buys nothing is left out.

    Args:
        base: the runway as it is.
    """
    levers = []
    for kind, pull in LEVERS.items():
        pulled = pull(stage)
        if pulled is None:
            continue
        label, inputs = pulled
        answer = stage.answer(inputs)
        levers.append(
            Lever(
                kind=kind,
                label=label,
                p5_days=answer.runway.p5_days - base.runway.p5_days,
                p50_days=answer.runway.p50_days - base.runway.p50_days,
                mean_days=round(answer.mean_days - base.mean_days, 1),
                runway=answer.runway,
                is_least=is_least(answer.runway, base.runway),
            )
        )
    useful = [lever for lever in levers if lever.p5_days >= 0 and lever.mean_days >= LEAST_GAIN_DAYS]
    useful.sort(key=lambda lever: (-lever.p5_days, -lever.p50_days, -lever.mean_days, lever.kind))
    return tuple(useful[:SHOWN_LEVERS])


type Pulled = tuple[str, ForecastInputs] | None


def _cut_spending(stage: Stage) -> Pulled:
    def cut(driver: str, contribution: Contribution) -> Contribution:
        if driver not in SPENDING_DRIVERS:
            return contribution
        fixed = contribution.fixed
        return replace(
            contribution,
            factors=tuple(replace(factor, daily=_less(factor.daily)) for factor in contribution.factors),
            lump_streams=tuple(replace(stream, sizes=_less(stream.sizes)) for stream in contribution.lump_streams),
            fixed=None if fixed is None else _less(fixed),
        )

    return f"Spend {SPENDING_CUT:.0%} less on bills and everyday things", stage.with_contributions(cut)


def _less(amounts: Floats) -> Floats:
    return np.where(amounts < 0.0, amounts * (1.0 - SPENDING_CUT), amounts)


def _cut_cloud(stage: Stage) -> Pulled:
    if not stage.setting.company.clouds:
        return None

    def cut(_: str, contribution: Contribution) -> Contribution:
        return replace(
            contribution,
            cloud=tuple(
                replace(cloud, usage=replace(cloud.usage, daily=cloud.usage.daily * (1.0 - CLOUD_CUT)))
                for cloud in contribution.cloud
            ),
        )

    return f"Run the cloud at {CLOUD_CUT:.0%} less", stage.with_contributions(cut)


def _cut_payroll(stage: Stage) -> Pulled:
    if not stage.setting.company.payrolls:
        return None
    share = np.where(_after_notice(stage), 1.0 - PAYROLL_CUT, 1.0)

    def cut(driver: str, contribution: Contribution) -> Contribution:
        if driver != "payroll":
            return contribution
        return replace(
            contribution,
            factors=tuple(replace(factor, daily=factor.daily * share) for factor in contribution.factors),
        )

    return f"Lower payroll by {PAYROLL_CUT:.0%}, in a month", stage.with_contributions(cut)


def _delay_hires(stage: Stage) -> Pulled:
    hires, as_of_day = stage.setting.company.hires, stage.setting.company.as_of_day
    count = sum(hire.start_day > as_of_day for hire in hires)
    if not count:
        return None
    later = tuple(
        replace(hire, start_day=hire.start_day + HIRES_WAIT_DAYS) if hire.start_day > as_of_day else hire
        for hire in hires
    )
    setting = replace(stage.setting, company=replace(stage.setting.company, hires=later))
    payroll = next(driver for driver in all_drivers() if driver.name == "payroll").contribute(setting)
    inputs = stage.with_contributions(lambda name, contribution: payroll if name == "payroll" else contribution)
    label = "Make the planned hire three months later" if count == 1 else "Make planned hires three months later"
    return label, inputs


def _raise_prices(stage: Stage) -> Pulled:
    raised = _after_notice(stage)
    if not _gross_income(stage):
        return None

    def rise(driver: str, contribution: Contribution) -> Contribution:
        gross = _gross_income(stage).get(driver)
        return contribution if gross is None else _with_income(contribution, gross * raised * PRICE_RISE)

    return f"Raise prices by {PRICE_RISE:.0%}, in a month", stage.with_contributions(rise)


def _sell_annual_plans(stage: Stage) -> Pulled:
    """Bank cash alone gains: what customers pay ahead is not ours yet."""
    income = _gross_income(stage)
    if not income or stage.setting.is_free:
        return None
    day = np.arange(1, stage.setting.horizon_days + 1)
    paying = (day > NOTICE_DAYS) & (day <= NOTICE_DAYS + PREPAY_SPREAD_DAYS)

    def prepay(driver: str, contribution: Contribution) -> Contribution:
        gross = income.get(driver)
        if gross is None:
            return contribution
        year = float(gross.mean()) * 365.0
        up_front = PREPAYING_SHARE * (1.0 - PREPAY_DISCOUNT) * year / PREPAY_SPREAD_DAYS
        moved = np.where(paying, up_front, 0.0) - np.where(day > NOTICE_DAYS, PREPAYING_SHARE, 0.0) * gross
        return _with_income(contribution, moved)

    label = f"Move {PREPAYING_SHARE:.0%} of sales to yearly prepayment at {PREPAY_DISCOUNT:.0%} off"
    return label, stage.with_contributions(prepay)


def _collect_invoices(stage: Stage) -> Pulled:
    def collect(driver: str, contribution: Contribution) -> Contribution:
        if driver != "receivables":
            return contribution
        return replace(
            contribution,
            dated_lumps=tuple(
                replace(lump, day=min(lump.day, COLLECTED_WITHIN_DAYS), delay_exp_days=0.0)
                for lump in contribution.dated_lumps
            ),
        )

    if not any(part.driver.name == "receivables" and part.contribution.dated_lumps for part in stage.parts):
        return None
    return "Get every open invoice paid within a week", stage.with_contributions(collect)


def _punctual_tranche(stage: Stage) -> Pulled:
    ahead = [
        (name, tranche)
        for name, tranche in named_tranches(stage.setting)
        if tranche.date > stage.setting.history.as_of and tranche.delay.mean_days > 0
    ]
    if not ahead:
        return None
    next_name, tranche = ahead[0]
    inputs = stage.inputs
    punctual = tuple(
        replace(each, delay_mean_days=0.0, delay_sd_days=0.0) if each.name == next_name else each
        for each in inputs.tranches
    )
    called = f" “{tranche.milestone}”" if tranche.milestone else ""
    return f"Get the tranche{called} on its day", replace(inputs, tranches=punctual)


LEVERS: dict[str, Callable[[Stage], Pulled]] = {
    "cut_spending": _cut_spending,
    "cut_cloud": _cut_cloud,
    "cut_payroll": _cut_payroll,
    "delay_hires": _delay_hires,
    "raise_prices": _raise_prices,
    "sell_annual_plans": _sell_annual_plans,
    "collect_invoices": _collect_invoices,
    "punctual_tranche": _punctual_tranche,
}


def _after_notice(stage: Stage) -> NDArray[np.bool_]:
    """bool [horizon]: days on which a change with a month's notice is in force."""
    return np.asarray(np.arange(1, stage.setting.horizon_days + 1) > NOTICE_DAYS)


def _gross_income(stage: Stage) -> dict[str, Floats]:
    """float64 [horizon] of expected income before costs, by the driver that carries it."""
    company, setting = stage.setting.company, stage.setting
    fitted = {"sales": company.sales, "invoiced": company.invoiced}
    return {
        name: income.expected(first_day=setting.first_day, days=setting.horizon_days)
        for name, income in fitted.items()
        if income is not None
    }


def _with_income(contribution: Contribution, daily: Floats) -> Contribution:
    """More (or less) of the income that the driver's one factor carries, as uncertain as the rest of it."""
    (factor,) = contribution.factors
    return replace(contribution, factors=(replace(factor, daily=factor.daily + daily),))
