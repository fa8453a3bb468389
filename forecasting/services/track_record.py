"""Keeping score: published forecasts and back-tests against what happened. Rows are added and never changed."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import starmap
from typing import Any

from django.db import connection, transaction

from forecasting import engine
from forecasting.engine import ENGINE_VERSION, HORIZON_DAYS, PATHS, SEED
from forecasting.fit.calibration import Observation, weigh
from forecasting.fit.history import MissingInputs
from forecasting.fit.plan import parse_plan
from forecasting.machine import MACHINE
from forecasting.models.record import Backtest, BacktestOrigin, CalibrationVersion, CashScore, RunwayScore
from forecasting.models.run import Basis, ForecastRun
from forecasting.outcome import UNCALIBRATED, money
from forecasting.scorecard import linear_burn_per_day
from forecasting.scores import SCORED_DAYS, Foretold, foretold, score_cash, score_runway
from forecasting.selectors.calibrations import newest_calibration
from forecasting.selectors.track_record import counted_scores
from forecasting.services.actuals import SETTLE_DAYS, Actuals, read_actuals, settled
from forecasting.services.history import gather_history
from ledger.domain.company import CompanyRef
from ledger.domain.flows import EPOCH

# A fit of less has seen no quarter; a balance 30 days on is the first that is scored.
LEAST_HISTORY_DAYS = 120
LEAST_SETTLED_DAYS = LEAST_HISTORY_DAYS + SCORED_DAYS[0]
MONTHLY_DAYS, WEEKLY_DAYS = 30, 7
# Two years: what a company was before says little about how well it is foretold now.
LONGEST_SPAN_DAYS = 720
RUNS_PER_BATCH = 40
# One at a time per company, or two would score the same runs and begin two back-tests.
RECORD_LOCK = 0x7265636F  # "reco"

_DUE = """
    SELECT run.id FROM forecasting_forecastrun run
    WHERE run.company_id = %(company)s
    -- What was superseded within its day is no forecast of that day, unless somebody acted on it.
    AND (run.cited OR NOT EXISTS (
        SELECT FROM forecasting_forecastrun later
        WHERE later.company_id = run.company_id AND later.basis = run.basis
          AND later.published_day = run.published_day AND later.id > run.id))
    AND (
        EXISTS (
            SELECT FROM unnest(%(days)s::integer[]) AS ahead
            WHERE ahead <= run.horizon_days AND run.as_of + ahead <= %(known_to)s
              AND NOT EXISTS (
                  SELECT FROM forecasting_cashscore score
                  WHERE score.run_id = run.id AND score.days_ahead = ahead)
        ) OR (
            (run.as_of + run.horizon_days::integer <= %(known_to)s
             OR (run.basis = 'bank' AND run.as_of < %(bank_zero)s)
             OR (run.basis = 'free' AND run.as_of < %(free_zero)s))
            AND NOT EXISTS (SELECT FROM forecasting_runwayscore score WHERE score.run_id = run.id)
        )
    )
    ORDER BY run.id LIMIT %(most)s
"""


class NotEnoughHistory(ValueError):
    """No past day has both a history to learn from and a month to be held to; the message says what is needed."""


def score_published(*, company: CompanyRef, now: datetime, most: int = RUNS_PER_BATCH) -> int:
    """Score published forecasts whose days have come; return how many runs were looked at, 0 when none is left.

    Raises:
        MissingInputs: what happened cannot be read.
    """
    first = (
        ForecastRun.objects.filter(company_id=company.id).order_by("as_of").values_list("as_of", flat=True).first()
    )
    if first is None:
        return 0
    actuals = read_actuals(company=company, now=now, since=first)
    with transaction.atomic():
        _lock(company.id)
        runs = _due_runs(company.id, actuals, most=most)
        cash, runway = [], []
        for run in runs:
            told = foretold(run.result, linear_burn=_linear_burn(actuals, run.as_of))
            knew = run.plan is not None and bool(parse_plan(run.plan.document).tranches)
            known = set(run.cash_scores.values_list("days_ahead", flat=True))
            cash += [
                CashScore(run=run, **row)
                for row in _cash_rows(told, actuals, basis=run.basis, now=now, knew_of_funding=knew)
                if row["days_ahead"] not in known
            ]
            if not run.runway_scores.exists():
                runway += [
                    RunwayScore(run=run, **row)
                    for row in _runway_rows(told, actuals, basis=run.basis, now=now, knew_of_funding=knew)
                ]
        CashScore.objects.bulk_create(cash)
        RunwayScore.objects.bulk_create(runway)
    return len(runs)


def begin_backtest(*, company: CompanyRef, now: datetime, actor: str, every_days: int = MONTHLY_DAYS) -> Backtest:
    """Choose the past days to look back from.

    Raises:
        NotEnoughHistory: the ledger is too short.
        MissingInputs: as `gather_history`.
    """
    gathered = gather_history(company=company, now=now)
    history = gathered.history
    first = EPOCH + timedelta(days=int(history.flows.day.min()))
    last = history.as_of - timedelta(days=SETTLE_DAYS + SCORED_DAYS[0])
    days = origins(first=first + timedelta(days=LEAST_HISTORY_DAYS), last=last, every_days=every_days)
    if not days:
        needed = LEAST_SETTLED_DAYS + SETTLE_DAYS
        have = (history.as_of - first).days
        raise NotEnoughHistory(f"a back-test needs {needed} days of events, {company.slug} has {have}")
    with transaction.atomic():
        _lock(company.id)
        return Backtest.objects.create(
            company_id=company.id,
            position=gathered.position,
            as_of_days=list(days),
            engine_version=ENGINE_VERSION,
            numpy_version=MACHINE.numpy_version,
            actor=actor,
            begun_at=now,
        )


def due_backtest(*, company: CompanyRef, now: datetime, actor: str) -> Backtest | None:
    """The back-test that is to be worked on: an unfinished one, else a new one once a month and for a new engine.

    Returns:
        None when the month has its back-test and the calibration that follows from it.

    Raises:
        NotEnoughHistory, MissingInputs: as `begin_backtest`.
    """
    newest = Backtest.objects.filter(company_id=company.id).order_by("-id").first()
    month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    if newest is None or newest.engine_version != ENGINE_VERSION:
        return begin_backtest(company=company, now=now, actor=actor)
    if newest.origins.count() < len(newest.as_of_days):
        return newest
    return None if newest.begun_at >= month else begin_backtest(company=company, now=now, actor=actor)


def calibrate_at_all(*, company: CompanyRef, now: datetime, actor: str) -> None:
    """Look back for the first time where nobody has; a ledger that is too short stays uncalibrated."""
    if newest_calibration(company_id=company.id) is not None:
        return
    with suppress(NotEnoughHistory, MissingInputs):
        backtest = due_backtest(company=company, now=now, actor=actor)
        if backtest is None:
            return
        continue_backtest(backtest=backtest, company=company, now=now)
        recalibrate(company=company, backtest=backtest, now=now)


def origins(*, first: date, last: date, every_days: int) -> tuple[date, ...]:
    """Days in [first, last], `every_days` apart, ending with `last`, over LONGEST_SPAN_DAYS at most; in order."""
    if last < first:
        return ()
    count = min((last - first).days, LONGEST_SPAN_DAYS) // every_days + 1
    return tuple(last - timedelta(days=every_days * n) for n in reversed(range(count)))


def continue_backtest(
    *,
    backtest: Backtest,
    company: CompanyRef,
    now: datetime,
    goes_on: Callable[[], bool] = lambda: True,
    pause: Callable[[], None] = lambda: None,
) -> bool:
    """Look back from the days that are left, one at least, as long as `goes_on`; whether all are done.

    Args:
        pause: called before the first of them, when all that it needs is read; may raise to give up.

    The forecast is the model's own, without the company's calibration, which is made from it. It knows what
    happened up to its day, as the ledger has it now.

    Raises:
        MissingInputs: what happened cannot be read.
    """
    done = set(backtest.origins.values_list("as_of", flat=True))
    left = [day for day in backtest.as_of_days if day not in done]
    if not left:
        return True
    actuals = read_actuals(company=company, now=now, since=left[0])
    pause()
    for n, day in enumerate(left):
        if n and not goes_on():
            return False
        _look_back(backtest, company=company, as_of=day, actuals=actuals, now=now)
    return True


def recalibrate(*, company: CompanyRef, backtest: Backtest | None, now: datetime) -> CalibrationVersion:
    """Weigh the record in bank cash, and keep what follows unless the newest version says the same.

    Published forecasts speak for the time since the first of them, the back-test for the time before.
    """
    scores = counted_scores(company_id=company.id, basis=Basis.BANK, backtest=backtest)
    rows = scores.order_by("as_of", "days_ahead", "id").values_list("as_of", "days_ahead", "normal_score")
    evidence = weigh(starmap(Observation, rows))
    said = {
        "state": evidence.calibration.state,
        "dispersion": evidence.calibration.dispersion,
        "windows": evidence.calibration.windows,
        "stretch": evidence.stretch,
        "coverage_before": evidence.coverage_before,
        "coverage": evidence.coverage,
        "below_p5": evidence.below_p5,
        "outcomes": evidence.outcomes,
    }
    with transaction.atomic():
        _lock(company.id)
        newest = newest_calibration(company_id=company.id)
        if newest is not None and all(getattr(newest, name) == value for name, value in said.items()):
            return newest
        return CalibrationVersion.objects.create(company_id=company.id, backtest=backtest, made_at=now, **said)


def _look_back(backtest: Backtest, *, company: CompanyRef, as_of: date, actuals: Actuals, now: datetime) -> None:
    refusal, plan_id, told, knew = "", None, None, False
    try:
        gathered = gather_history(company=company, now=now, as_of=as_of)
        plan_id = gathered.plan.plan_id if gathered.plan else None
        history = replace(gathered.history, calibration=UNCALIBRATED)
        knew = bool(history.plan.tranches)
        made = engine.forecast(history, basis="bank", horizon_days=HORIZON_DAYS, paths=PATHS, seed=SEED)
        told = foretold(made.to_json(), linear_burn=linear_burn_per_day(history))
    except MissingInputs as missing:
        refusal = str(missing)
    with transaction.atomic():
        _lock(backtest.company_id)
        if backtest.origins.filter(as_of=as_of).exists():
            return
        origin = BacktestOrigin.objects.create(
            backtest=backtest,
            as_of=as_of,
            plan_id=plan_id,
            refusal=refusal,
            p5_days=None if told is None else told.quantile_days[4],
            p50_days=None if told is None else told.quantile_days[49],
            p95_days=None if told is None else told.quantile_days[94],
            made_at=now,
        )
        if told is not None:
            CashScore.objects.bulk_create(
                CashScore(origin=origin, **row)
                for row in _cash_rows(told, actuals, basis=Basis.BANK, now=now, knew_of_funding=knew)
            )
            RunwayScore.objects.bulk_create(
                RunwayScore(origin=origin, **row)
                for row in _runway_rows(told, actuals, basis=Basis.BANK, now=now, knew_of_funding=knew)
            )


def _due_runs(company_id: int, actuals: Actuals, *, most: int) -> list[ForecastRun]:
    with connection.cursor() as cursor:
        cursor.execute(
            _DUE,
            {
                "company": company_id,
                "days": list(SCORED_DAYS),
                "known_to": actuals.known_to,
                "bank_zero": actuals.last_zero(basis=Basis.BANK),
                "free_zero": actuals.last_zero(basis=Basis.FREE),
                "most": most,
            },
        )
        ids = [row[0] for row in cursor.fetchall()]
    return list(ForecastRun.objects.filter(id__in=ids).order_by("id"))


def _linear_burn(actuals: Actuals, as_of: date) -> float:
    return linear_burn_per_day(replace(actuals.history, as_of=as_of))


def _cash_rows(
    told: Foretold, actuals: Actuals, *, basis: str, now: datetime, knew_of_funding: bool
) -> list[dict[str, Any]]:
    """Funding that no plan of the day told of is left out: a round is no error of whoever forecasts burn."""
    rows = []
    zero = actuals.first_zero_after(told.as_of, basis=basis, with_new_money=knew_of_funding)
    for ahead in settled(told.bands, as_of=told.as_of, known_to=actuals.known_to):
        unforeseen = 0.0 if knew_of_funding else actuals.new_money(after=told.as_of, until=told.day(ahead))
        actual = actuals.closing(told.day(ahead), basis=basis) - unforeseen
        scored = score_cash(told, days_ahead=ahead, actual=actual)
        p5, p25, p50, p75, p95 = map(money, scored.quantiles)
        rows.append(
            {
                "company_id": actuals.company.id,
                "basis": basis,
                "as_of": told.as_of,
                "days_ahead": ahead,
                "day": told.day(ahead),
                "p5": p5,
                "p25": p25,
                "p50": p50,
                "p75": p75,
                "p95": p95,
                "actual": money(scored.actual),
                "new_money": money(unforeseen),
                "linear": money(scored.linear),
                "normal_score": scored.normal_score,
                "score": scored.score,
                "zero_probability": told.zero_by[ahead],
                "was_zero": zero is not None and zero <= told.day(ahead),
                "scored_at": now,
            }
        )
    return rows


def _runway_rows(
    told: Foretold, actuals: Actuals, *, basis: str, now: datetime, knew_of_funding: bool
) -> list[dict[str, Any]]:
    """One row when the runway is known: cash has run out, or the horizon has passed."""
    zero = actuals.first_zero_after(told.as_of, basis=basis, with_new_money=knew_of_funding)
    if zero is None and told.day(told.horizon_days) > actuals.known_to:
        return []
    scored = score_runway(told, actual_days=None if zero is None else (zero - told.as_of).days)
    return [
        {
            "company_id": actuals.company.id,
            "basis": basis,
            "as_of": told.as_of,
            "horizon_days": told.horizon_days,
            "p5_days": told.quantile_days[4],
            "p50_days": told.quantile_days[49],
            "p95_days": told.quantile_days[94],
            "actual_days": scored.actual_days,
            "crps_days": scored.crps_days,
            "error_days": scored.error_days,
            "linear_days": scored.linear_days,
            "linear_error_days": scored.linear_error_days,
            "scored_at": now,
        }
    ]


def _lock(company_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [RECORD_LOCK, company_id % 2**31])
