"""Say why the forecasts in force are what they are, a moment after their numbers were published."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from forecasting.checks.data_check import Feed
from forecasting.drivers.contribution import Basis
from forecasting.explain.change import EarlierForecast
from forecasting.explain.explanation import explain
from forecasting.explain.stage import no_pause, stage
from forecasting.fit.company import FittedCompany, fit_company
from forecasting.fit.history import CompanyHistory, MissingInputs
from forecasting.kernel.shocks import shocks_for
from forecasting.metrics import EXPLANATION_SECONDS
from forecasting.models.explanation import ForecastExplanation
from forecasting.models.run import ForecastRun
from forecasting.outcome import RunwayCase
from forecasting.selectors.explanations import first_run, last_run_by, runs_unexplained
from forecasting.selectors.feeds import feeds_of
from forecasting.services.known_then import known_to
from forecasting.signals import forecast_explained
from ledger.domain.company import CompanyRef
from ledger.selectors.companies import company_ref
from ledger.services.daily_flows import catch_up

logger = logging.getLogger(__name__)

# What a forecast is compared with: the last one published so many of the company's days before, or earlier.
COMPARED = {"yesterday": 1, "last_week": 7}
# On a company's first day there is none yet, but events and plans come one after the other (ADR 0202).
FIRST = "first_forecast"
# A published figure that comes out otherwise now has been overtaken: a statement or a rate came since.
OVERTAKEN_DAYS = 1


@dataclass(frozen=True, slots=True)
class _Known:
    history: CompanyHistory
    fitted: FittedCompany


def explain_forecasts(
    *, company_id: int, now: datetime, pause: Callable[[], None] = no_pause
) -> tuple[ForecastExplanation, ...]:
    """Explain the company's runs in force that nothing is said about yet, and store each as soon as it is done.

    Args:
        pause: called before every simulation and fit (some ten milliseconds each); may raise to give up, and
            nothing is lost but the work on the run at hand.

    Raises:
        CompanyNotFound: no such company.
    """
    runs = runs_unexplained(company_id=company_id)
    if not runs:
        return ()
    company = company_ref(company_id=company_id)
    catch_up(company_id=company_id)
    known: dict[tuple[object, ...], _Known | None] = {}
    return tuple(
        stored
        for run in runs
        if (stored := _explain(run, company=company, known=known, now=now, pause=pause)) is not None
    )


def _explain(
    run: ForecastRun,
    *,
    company: CompanyRef,
    known: dict[tuple[object, ...], _Known | None],
    now: datetime,
    pause: Callable[[], None],
) -> ForecastExplanation | None:
    started = time.perf_counter()
    pause()
    mine = _known(run, company=company, known=known)
    if mine is None:
        return None
    feeds = feeds_of(company_id=company.id, until=run.as_of)
    content = _content(run, mine, company=company, known=known, feeds=feeds, pause=pause)
    if content is None:
        return None
    duration_seconds = time.perf_counter() - started
    explanation = ForecastExplanation(
        run_id=run.pk,
        company_id=company.id,
        content=content,
        explained_at=now,
        duration_ms=duration_seconds * 1000.0,
    )
    with transaction.atomic():
        # Two workers may be at it, and a superseded run may be pruned meanwhile; neither is an error.
        if not ForecastRun.objects.select_for_update(of=("self",), no_key=True).filter(pk=run.pk).exists():
            return None
        ForecastExplanation.objects.bulk_create([explanation], ignore_conflicts=True)
        transaction.on_commit(lambda: _announce(run), robust=True)
    EXPLANATION_SECONDS.observe(duration_seconds)
    return explanation


def _content(
    run: ForecastRun,
    mine: _Known,
    *,
    company: CompanyRef,
    known: dict[tuple[object, ...], _Known | None],
    feeds: tuple[Feed, ...],
    pause: Callable[[], None],
) -> dict[str, object] | None:
    """None when the run cannot be computed again as it was published: newer numbers are on their way."""
    basis: Basis = "free" if run.basis == "free" else "bank"
    staged = stage(
        history=mine.history,
        fitted=mine.fitted,
        basis=basis,
        shocks=shocks_for(seed=run.seed, paths=run.paths, horizon_days=run.horizon_days),
        horizon_days=run.horizon_days,
        pause=pause,
    )
    published = _runway(run)
    again = staged.runway(staged.inputs)
    if (
        abs(again.p5_days - published.p5_days) > OVERTAKEN_DAYS
        or abs(again.p50_days - published.p50_days) > OVERTAKEN_DAYS
    ):
        logger.info("forecast_overtaken: run %d is not explained", run.pk)
        return None
    compared = {name: last_run_by(run=run, days_before=days_before) for name, days_before in COMPARED.items()}
    compared[FIRST] = first_run(run=run) if compared["yesterday"] is None else None
    earlier = {
        name: _earlier(then, now=run, company=company, known=known, pause=pause) for name, then in compared.items()
    }
    return explain(stage=staged, runway=published, earlier=earlier, feeds=feeds).to_json()


def _earlier(
    then: ForecastRun | None,
    *,
    now: ForecastRun,
    company: CompanyRef,
    known: dict[tuple[object, ...], _Known | None],
    pause: Callable[[], None],
) -> EarlierForecast | None:
    pause()
    if then is None or then.horizon_days != now.horizon_days:
        return None
    found = _known(then, company=company, known=known)
    if found is None:
        return None
    return EarlierForecast(
        run_id=then.pk,
        published_day=then.published_day,
        runway=_runway(then),
        history=found.history,
        fitted=found.fitted,
    )


def _known(
    run: ForecastRun, *, company: CompanyRef, known: dict[tuple[object, ...], _Known | None]
) -> _Known | None:
    """What a run knew, and the fit of it; made once for both bases."""
    key = (run.as_of, run.position, run.plan_id, run.history_digest)
    if key not in known:
        try:
            history = known_to(run=run, company=company)
            known[key] = None if history is None else _Known(history=history, fitted=fit_company(history))
        except MissingInputs as missing:
            logger.info("forecast_not_comparable: run %d: %s", run.pk, missing)
            known[key] = None
    return known[key]


def _runway(run: ForecastRun) -> RunwayCase:
    beyond = run.result["beyond_horizon"]
    return RunwayCase(
        p5_days=run.p5_days,
        p50_days=run.p50_days,
        p95_days=run.p95_days,
        beyond_horizon=(beyond["p5"], beyond["p50"], beyond["p95"]),
    )


def _announce(run: ForecastRun) -> None:
    for _, error in forecast_explained.send_robust(sender=ForecastRun, company_id=run.company_id, run_id=run.pk):
        if isinstance(error, Exception):
            logger.error("forecast_explained_receiver_failed", exc_info=error)
