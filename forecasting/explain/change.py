"""Why the runway changed between two forecasts, in days per cause; the causes add up to the whole exactly.

The earlier forecast is led to the later one in seven steps, always in this order (ADR 0094, 0203). Each step is a
world that could have been: simulated with the same shocks, it differs from the one before by one cause alone, so
the steps telescope and nothing is left over:

    restated     the earlier forecast, computed again with today's engine and today's reading of its ledger
    calibration  its interval as wide as the company's record asks for today
    time         its days passed just as it expected
    rates        today's exchange rates
    events       what really happened: the balance, open invoices, contracts, credits, tax owed
    refit        what the ledger now says about the future: levels, growth, calendars, doubts
    plan         today's version of the plan
"""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from forecasting.drivers.contribution import Basis
from forecasting.explain.stage import Answer, Stage, stage
from forecasting.explain.surprises import PayeeFlow, Surprise, surprises
from forecasting.fit.company import FittedCompany, fit_company
from forecasting.fit.history import CompanyHistory
from forecasting.kernel.elapse import elapse
from forecasting.kernel.inputs import CloudUsage, ForecastInputs
from forecasting.outcome import RunwayCase, money

CAUSES = {
    "restated": "The past, read again",
    "calibration": "The company’s own record of forecasts",
    "time": "Days that passed",
    "rates": "Exchange rates",
    "events": "What happened",
    "refit": "What that says about the future",
    "plan": "Changes of the plan",
}
# Left out where they are nothing.
SELDOM = frozenset(("restated", "calibration"))
# What these drivers contribute is a state of affairs, which events change; the others say what is believed.
FACTS = frozenset(
    (
        "cloud",
        "contracts",
        "customer_deposits",
        "deferred_revenue",
        "fx",
        "payroll_tax",
        "receivables",
        "tax_credits",
        "tranches",
    )
)
REMAINDER = "Balances stated, open invoices, contracts, credits and tax owed"


@dataclass(frozen=True, slots=True)
class DaysOfCause:
    """What one cause did to the runway; negative days are lost ones.

    Attributes:
        mean_days: of the mean over all futures, to a tenth; stored forecasts keep no mean, so nothing is restated.
        amount: money behind it, as text, '' where it is not a matter of one sum.
        expected: what the earlier forecast expected instead, '' likewise.
        payees: who moved most of it.
    """

    key: str
    label: str
    p5_days: int
    p50_days: int
    mean_days: float
    amount: str = ""
    expected: str = ""
    payees: tuple[PayeeFlow, ...] = ()


@dataclass(frozen=True, slots=True)
class EarlierForecast:
    """A stored forecast and what it knew.

    Attributes:
        run_id: where it is stored.
        published_day: company's calendar.
        runway: as published.
        history: what was known then: ledger, balances, rates and plan of that moment.
        fitted: the fit of it.
    """

    run_id: int
    published_day: date
    runway: RunwayCase
    history: CompanyHistory
    fitted: FittedCompany


@dataclass(frozen=True, slots=True)
class RunwayChange:
    """Attributes:
    then, now: the runways as published, capped at the horizon.
    mean_days: by how much the mean changed.
    causes: in the order of CAUSES; their days sum to `now` less `then`. Those of SELDOM are left out when nothing.
    events: the days of the cause "events", by group; they sum to it.
    """

    run_id: int
    published_day: date
    as_of: date
    then: RunwayCase
    now: RunwayCase
    mean_days: float
    causes: tuple[DaysOfCause, ...]
    events: tuple[DaysOfCause, ...]


def runway_change(*, earlier: EarlierForecast, now: Stage, runway: RunwayCase) -> RunwayChange | None:
    """Attribute the change; None when the earlier forecast looks back from a later day, or too far back.

    Args:
        now: the later company, as forecast.
        runway: its runway as published.
    """
    days = (now.setting.history.as_of - earlier.history.as_of).days
    if not 0 <= days < now.setting.horizon_days:
        return None
    worlds = _Worlds(earlier=earlier, now=now, days=days)
    same_past = worlds.restated()
    recalibrated = now.answer(same_past)
    spread_then = earlier.history.calibration.stretch
    restated = (
        recalibrated
        if spread_then == now.setting.history.calibration.stretch
        else now.answer(same_past, dispersion=spread_then)
    )
    elapsed = now.answer(worlds.elapsed()) if days else recalibrated
    revalued_inputs = worlds.revalued()
    revalued = now.answer(revalued_inputs) if worlds.rates_moved else elapsed
    happened = now.answer(worlds.happened())
    # The last world is the later forecast, in the days in which it was published.
    published = Answer(runway=runway, mean_days=now.answer(now.inputs).mean_days)
    refitted = now.answer(worlds.refitted()) if worlds.plan_moved else published
    stored = Answer(runway=earlier.runway, mean_days=restated.mean_days)
    steps = [stored, restated, recalibrated, elapsed, revalued, happened, refitted, published]
    causes = _causes(tuple(CAUSES.items()), steps)
    return RunwayChange(
        run_id=earlier.run_id,
        published_day=earlier.published_day,
        as_of=earlier.history.as_of,
        then=earlier.runway,
        now=runway,
        mean_days=(_tenths(published) - _tenths(stored)) / 10,
        causes=tuple(cause for cause in causes if cause.key not in SELDOM or cause.p5_days or cause.p50_days),
        events=_events(worlds, before=revalued, inputs=revalued_inputs, after=happened),
    )


class _Worlds:
    """The inputs of each step between an earlier forecast and a later one."""

    def __init__(self, *, earlier: EarlierForecast, now: Stage, days: int) -> None:
        self._now, self._basis, self._days = now, now.setting.basis, days
        self._then = earlier
        rates = earlier.history.rates | now.setting.history.rates
        self.rates_moved = rates != earlier.history.rates
        self.plan_moved = earlier.history.plan != now.setting.history.plan
        # The old view at the new rates, seen as far ahead as the new one.
        history = replace(earlier.history, rates=rates) if self.rates_moved else earlier.history
        fitted = fit_company(history) if self.rates_moved else earlier.fitted
        self._old = self._stage(history, fitted, self._basis, further_days=days)
        self._with_old_plan = now if not self.plan_moved else self._told_without_the_new_plan()

    def restated(self) -> ForecastInputs:
        return self._stage(self._then.history, self._then.fitted, self._basis).inputs

    def elapsed(self) -> ForecastInputs:
        then = self._stage(self._then.history, self._then.fitted, self._basis, further_days=self._days)
        return elapse(then.inputs, days=self._days)

    def revalued(self) -> ForecastInputs:
        return elapse(self._old.inputs, days=self._days)

    def happened(self) -> ForecastInputs:
        """The state of affairs of today, with the beliefs of then."""
        today = self._with_old_plan
        whole = today.inputs
        facts = today.with_contributions(lambda name, piece: piece if name in FACTS else None)
        beliefs = elapse(
            self._old.with_contributions(lambda name, piece: None if name in FACTS else piece), days=self._days
        )
        return replace(
            whole,
            factors=beliefs.factors + facts.factors,
            fixed=beliefs.fixed + facts.fixed,
            shock_sd_per_day=np.hypot(beliefs.shock_sd_per_day, facts.shock_sd_per_day),
            persistent_sd=np.hypot(beliefs.persistent_sd, facts.persistent_sd),
            lump_streams=beliefs.lump_streams + facts.lump_streams,
            dated_lumps=beliefs.dated_lumps + facts.dated_lumps,
            tranches=beliefs.tranches + facts.tranches,
            cloud=self._clouds_at_the_usage_believed(facts.cloud),
        )

    def refitted(self) -> ForecastInputs:
        return self._with_old_plan.inputs

    def surprises(self) -> tuple[Surprise, ...]:
        """In bank cash, whatever the basis: that is what payees bring and take."""
        setting = self._old.setting
        return surprises(
            then=self._stage(setting.history, setting.company, "bank", further_days=self._days),
            before=setting.company.rows,
            after=self._with_old_plan.setting.company.rows,
            days=self._days,
        )

    def answer(self, inputs: ForecastInputs) -> Answer:
        return self._now.answer(inputs)

    def _clouds_at_the_usage_believed(self, now: tuple[CloudUsage, ...]) -> tuple[CloudUsage, ...]:
        """Today's bills and credits at the usage of then, unless the providers are not the same."""
        then, today = (
            [cloud.provider for cloud in each.setting.company.clouds] for each in (self._old, self._with_old_plan)
        )
        if then != today:
            return now
        believed = self.revalued().cloud
        return tuple(replace(cloud, usage=old.usage) for cloud, old in zip(now, believed, strict=True))

    def _told_without_the_new_plan(self) -> Stage:
        now, then = self._now.setting.history, self._then.history
        # The old plan may pay somebody in a currency that nothing else needs a rate for.
        history = replace(now, plan=then.plan, rates=then.rates | now.rates)
        return self._stage(history, fit_company(history), self._basis)

    def _stage(
        self, history: CompanyHistory, fitted: FittedCompany, basis: Basis, *, further_days: int = 0
    ) -> Stage:
        return stage(
            history=history,
            fitted=fitted,
            basis=basis,
            shocks=self._now.shocks,
            horizon_days=self._now.setting.horizon_days + further_days,
        )


def _causes(names: tuple[tuple[str, str], ...], steps: list[Answer]) -> tuple[DaysOfCause, ...]:
    """From step to step. Means are counted in tenths, so that they add up as exactly as days do."""
    return tuple(
        DaysOfCause(
            key=key,
            label=label,
            p5_days=after.runway.p5_days - before.runway.p5_days,
            p50_days=after.runway.p50_days - before.runway.p50_days,
            mean_days=(_tenths(after) - _tenths(before)) / 10,
        )
        for (key, label), before, after in zip(names, steps[:-1], steps[1:], strict=True)
    )


def _tenths(answer: Answer) -> int:
    return round(answer.mean_days * 10)


def _events(worlds: _Worlds, *, before: Answer, inputs: ForecastInputs, after: Answer) -> tuple[DaysOfCause, ...]:
    """Group after group changes the balance, the largest surprise first; what no group explains comes last."""
    named = worlds.surprises()
    steps, balance, explained = [before], inputs.opening_balance, []
    for surprise in named:
        balance += surprise.amount
        steps.append(worlds.answer(replace(inputs, opening_balance=balance)))
    steps.append(after)
    days = _causes((*((each.group.key, each.group.label) for each in named), ("rest", REMAINDER)), steps)
    for cause, surprise in zip(days[:-1], named, strict=True):
        explained.append(
            replace(
                cause,
                amount=str(money(surprise.actual)),
                expected=str(money(surprise.expected)),
                payees=surprise.payees,
            )
        )
    return (*explained, days[-1])
