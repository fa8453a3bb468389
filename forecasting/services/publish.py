"""Publish the forecast that a company's journal and plan imply now.

lease -> history -> both forecasts -> one transaction that stores the runs and moves the cursor -> cache -> signal.
"""

import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import Max

from forecasting import engine
from forecasting.cache import put_texts
from forecasting.closing_balances import ClosingBalances, bank_balances, free_balances
from forecasting.engine import ENGINE_VERSION, HORIZON_DAYS, PATHS, SEED
from forecasting.fit.history import MissingInputs
from forecasting.machine import MACHINE
from forecasting.metrics import FORECAST_SECONDS
from forecasting.models.cursor import ForecastCursor
from forecasting.models.plan import Plan
from forecasting.models.run import ForecastRun
from forecasting.outcome import Forecast
from forecasting.selectors.forecasts import cache_key
from forecasting.services.history import GatheredHistory, gather_history
from forecasting.services.kept_flows import kept_flows
from forecasting.services.lease import claim_lease, release_lease
from forecasting.services.store import RunsInForce, RunTexts, keep_runs, store_runs
from forecasting.signals import forecast_published
from ledger.domain.company import CompanyRef
from ledger.selectors.companies import company_ref
from ledger.selectors.journal import journal_position

logger = logging.getLogger(__name__)

_STILL_IMPLIED = """
    SELECT c.free_run_id, c.bank_run_id FROM forecasting_forecastcursor c
    WHERE c.company_id = %(company)s AND 2 = (
        SELECT count(*) FROM forecasting_forecastrun run
        WHERE run.id IN (c.free_run_id, c.bank_run_id)
          AND run.history_digest = %(history_digest)s AND run.position = %(position)s
          AND run.plan_id IS NOT DISTINCT FROM %(plan)s::bigint
          AND run.engine_version = %(engine_version)s AND run.numpy_version = %(numpy_version)s)
"""


@dataclass(frozen=True, slots=True)
class Publication:
    """What publishing came to.

    Attributes:
        free_run_id, bank_run_id: the runs now in force.
        created: False when what was in force already is still what the inputs imply.
        behind: the journal moved on meanwhile, so the company should be computed again.
    """

    company_id: int
    free_run_id: int
    bank_run_id: int
    position: int
    as_of: date
    created: bool
    behind: bool


def publish_forecast(*, company_id: int, now: datetime, owner: str | None = None) -> Publication:
    """Bring one company's published forecasts, on both bases, up to date with its journal and plan.

    Doing it again with nothing new changes nothing but the time of the last check.

    Args:
        owner: who holds the lease meanwhile, the same for every attempt of one job; default somebody new.

    Raises:
        MissingInputs: there is no honest forecast yet; the reasons name what is missing.
        LeaseBusy: another worker is at it.
        LeaseLost: this one took so long that another worker began.
        CompanyNotFound: no such company.
    """
    company = company_ref(company_id=company_id)
    owner = owner or uuid4().hex
    started = time.perf_counter()
    claim_lease(company_id=company_id, owner=owner)
    head = journal_position(company_id=company_id)
    try:
        gathered = gather_history(company=company, now=now, flows_of=kept_flows)
        plan_version = gathered.plan.version if gathered.plan else 0
        in_force = _runs_in_force(company_id=company_id, gathered=gathered)
        if in_force is None:
            free, bank = _compute(company=company, gathered=gathered, now=now, started=started)
            texts = (RunTexts.of(free), RunTexts.of(bank))
            runs = store_runs(free=free, bank=bank, texts=texts, owner=owner, plan_version=plan_version, now=now)
            transaction.on_commit(lambda: _announce(free, bank, texts=texts, run_id=runs.free), robust=True)
        else:
            runs = in_force
            keep_runs(
                company_id=company_id,
                owner=owner,
                runs=runs,
                position=gathered.position,
                plan_version=plan_version,
                now=now,
                counts_for_pace=False,
            )
    except MissingInputs as missing:
        _refuse(company_id=company_id, owner=owner, position=head, missing=missing, now=now)
        raise
    except BaseException:
        # Without a connection the lease runs out by itself; what went wrong must not be hidden by that.
        with suppress(DatabaseError, InterfaceError):
            release_lease(company_id=company_id, owner=owner)
        raise
    if in_force is None:
        FORECAST_SECONDS.observe(time.perf_counter() - started)
    return Publication(
        company_id=company_id,
        free_run_id=runs.free,
        bank_run_id=runs.bank,
        position=gathered.position,
        as_of=gathered.history.as_of,
        created=in_force is None,
        behind=journal_position(company_id=company_id) > gathered.position,
    )


def _runs_in_force(*, company_id: int, gathered: GatheredHistory) -> RunsInForce | None:
    """The runs in force, if they are what this history, engine and machine would compute again."""
    with connection.cursor() as cursor:
        cursor.execute(
            _STILL_IMPLIED,
            {
                "company": company_id,
                "history_digest": gathered.digest,
                "position": gathered.position,
                "plan": gathered.plan.plan_id if gathered.plan else None,
                "engine_version": ENGINE_VERSION,
                "numpy_version": MACHINE.numpy_version,
            },
        )
        found = cursor.fetchone()
    return None if found is None else RunsInForce(*found)


def _compute(
    *, company: CompanyRef, gathered: GatheredHistory, now: datetime, started: float
) -> tuple[ForecastRun, ForecastRun]:
    """Both forecasts, from one fit and the same shocks, as rows that are not saved yet."""
    history = gathered.history
    free, bank = engine.forecasts(history, horizon_days=HORIZON_DAYS, paths=PATHS, seed=SEED)
    in_bank = bank_balances(history)
    ours = free_balances(history, bank=in_bank, opening=free.balance)
    runs = (
        _run(company=company, gathered=gathered, forecast=free, balances=ours, now=now),
        _run(company=company, gathered=gathered, forecast=bank, balances=in_bank, now=now),
    )
    for run in runs:
        run.duration_ms = (time.perf_counter() - started) * 1000.0
    return runs


def _run(
    *, company: CompanyRef, gathered: GatheredHistory, forecast: Forecast, balances: ClosingBalances, now: datetime
) -> ForecastRun:
    return ForecastRun(
        company_id=company.id,
        basis=forecast.basis,
        as_of=gathered.history.as_of,
        position=gathered.position,
        plan_id=gathered.plan.plan_id if gathered.plan else None,
        plan_digest=gathered.plan.digest if gathered.plan else "",
        seed=forecast.seed,
        horizon_days=forecast.horizon_days,
        paths=forecast.paths,
        engine_version=forecast.engine_version,
        numpy_version=MACHINE.numpy_version,
        cpu_features=list(MACHINE.cpu_features),
        history_digest=gathered.digest,
        history_parts=gathered.parts,
        input_digest=forecast.input_digest,
        result=forecast.to_json(),
        closing_balances=balances.to_json(),
        p5_days=forecast.p5_days,
        p50_days=forecast.p50_days,
        p95_days=forecast.p95_days,
        computed_at=now,
        published_day=now.astimezone(ZoneInfo(company.timezone)).date(),
    )


def _refuse(*, company_id: int, owner: str, position: int, missing: MissingInputs, now: datetime) -> None:
    """Record why the journal up to `position` gives no forecast, so that nobody tries before that changes."""
    newest = Plan.objects.filter(company_id=company_id).aggregate(version=Max("version"))["version"]
    ForecastCursor.objects.filter(company_id=company_id, lease_owner=owner).update(
        position=position,
        plan_version=newest or 0,
        checked_at=now,
        refusal=str(missing),
        lease_owner="",
        lease_until=None,
    )


def _announce(free: ForecastRun, bank: ForecastRun, *, texts: tuple[RunTexts, RunTexts], run_id: int) -> None:
    put_texts(
        texts={cache_key(run): text.cached for run, text in zip((free, bank), texts, strict=True)},
        compute_seconds=free.duration_ms / 1000.0,
    )
    for _, error in forecast_published.send_robust(sender=ForecastRun, company_id=free.company_id, run_id=run_id):
        if isinstance(error, Exception):
            logger.error("forecast_published_receiver_failed", exc_info=error)
