"""Work of the `forecast` queue: bring companies up to date, say why, and find those that wait for either."""

import logging
import time
from datetime import date, datetime
from random import Random
from uuid import uuid4

from django.db import InterfaceError, OperationalError, close_old_connections
from django.utils import timezone
from rq.timeouts import BaseTimeoutException

from forecasting.backoff import backoff_seconds
from forecasting.fit.history import MissingInputs
from forecasting.giving_way import GivingWay, Postponed
from forecasting.metrics import EXPLANATIONS, FORECASTS
from forecasting.selectors.explanations import companies_unexplained, runs_unexplained
from forecasting.selectors.freshness import companies_behind, companies_with_events, seconds_since_claim
from forecasting.services.explain import explain_forecasts
from forecasting.services.lease import LeaseBusy, LeaseLost
from forecasting.services.publish import publish_forecast
from forecasting.services.retention import prune_runs
from forecasting.wake import (
    explain_again,
    forecast_waits,
    open_explanation_gate,
    open_gate,
    rest_explanation,
    wake,
    wake_again,
    wake_explanation,
    wake_many,
)
from ledger.domain.company import CompanyNotFound
from ledger.selectors.fx import euro_rates

logger = logging.getLogger(__name__)

# Under continuous load one company is computed about once a second, so that ingestion keeps the processor.
PACE_SECONDS = 1.0
# How long a job that came too early waits before it lets other companies go first.
SLICE_SECONDS = 0.05
ATTEMPTS = 5
_random = Random()  # noqa: S311 - spreads retries, guards nothing


def recompute(*, company_id: int) -> str:
    """Publish the forecast that the company's journal and plan imply now. Returns what happened, for the log.

    Transient errors of the database (a deadlock, a serialization failure, a restart) are tried again with
    exponential back-off and jitter; one that stays fails the job, and the sweeper wakes the company again.
    """
    owner = uuid4().hex
    waits = backoff_seconds(attempts=ATTEMPTS, base_seconds=0.1, cap_seconds=2.0, rng=_random)
    while True:
        try:
            result = _recompute(company_id, owner=owner)
        except (OperationalError, InterfaceError) as error:
            close_old_connections()
            wait_seconds = next(waits, None)
            if wait_seconds is None:
                FORECASTS.labels("failed").inc()
                raise
            logger.warning("forecast_retried: company %s in %.2f s: %s", company_id, wait_seconds, error)
            time.sleep(wait_seconds)
        else:
            FORECASTS.labels(result).inc()
            return result


def recompute_many(*, company_ids: list[int]) -> None:
    """Publish the forecasts of several companies, one after the other. One that fails keeps no other waiting.

    Raises:
        Exception: what the first that failed has failed with, when all have had their turn.
    """
    failures: list[Exception] = []
    for company_id in company_ids:
        try:
            recompute(company_id=company_id)
        except BaseTimeoutException:
            raise  # the whole job's time is over
        except Exception as error:
            logger.exception("forecast_failed: company %s", company_id)
            failures.append(error)
    if failures:
        raise failures[0]


def sweep(*, now: datetime) -> int:
    """Wake every company whose journal, plan, calendar day or engine is ahead of its forecast, or unexplained.

    When new exchange rates have come, that is everybody: whose money they touch is found out by looking.

    Called by the scheduler every 10 s: the net under wake-ups that were lost, with Redis down or a worker killed.

    Returns:
        How many companies were found behind.
    """
    behind = companies_behind(now=now)
    wake_many(companies_with_events() if _new_rates() else behind)
    for company_id in companies_unexplained():
        wake_explanation(company_id=company_id)
    return len(behind)


# The last day of the ECB's history when the last sweep of this process looked, None before the first.
_rates_until: date | None = None


def _new_rates() -> bool:
    """Whether the ECB has published a day since the last sweep. Who misses it looks anew within the hour."""
    global _rates_until
    before, _rates_until = _rates_until, euro_rates().last_day
    return before is not None and _rates_until > before


_giving_way = GivingWay()


def explain(*, company_id: int) -> str:
    """Explain the company's forecasts in force. Returns what happened, for the log.

    Gives way to any forecast that waits, in the middle of its work too, unless explanations have done nothing but
    that for some seconds. What fails is tried again by the sweeper, minutes later; the forecast stands.
    """
    try:
        result = _explain(company_id)
    except Exception:
        EXPLANATIONS.labels("failed").inc()
        rest_explanation(company_id=company_id)
        raise
    EXPLANATIONS.labels(result).inc()
    return result


def _explain(company_id: int) -> str:
    pause = _giving_way.begin_job()
    open_explanation_gate(company_id=company_id)
    try:
        pause()
        explained = explain_forecasts(company_id=company_id, now=timezone.now(), pause=pause)
    except Postponed:
        _giving_way.gave_way()
        explain_again(company_id=company_id)
        return "postponed"
    except CompanyNotFound:
        return "nothing"
    _giving_way.got_on()
    if runs_unexplained(company_id=company_id):
        rest_explanation(company_id=company_id)
    return "explained" if explained else "nothing"


def _paced(company_id: int) -> bool:
    """Wait until the company may be computed again; False when another company's job should go first."""
    elapsed = seconds_since_claim(company_id=company_id)
    while elapsed is not None and elapsed < PACE_SECONDS:
        slice_seconds = min(SLICE_SECONDS, PACE_SECONDS - elapsed)
        time.sleep(slice_seconds)
        elapsed += slice_seconds
        if forecast_waits():
            return elapsed >= PACE_SECONDS
    return True


def _recompute(company_id: int, *, owner: str) -> str:
    if not _paced(company_id):
        wake_again(company_id=company_id)
        return "paced"
    open_gate(company_id=company_id)
    try:
        publication = publish_forecast(company_id=company_id, now=timezone.now(), owner=owner)
    except (LeaseBusy, LeaseLost):
        # Whoever holds the lease looks at the journal once more after releasing it, so nothing is lost by leaving.
        return "busy"
    except (MissingInputs, CompanyNotFound) as missing:
        logger.info("forecast_refused: company %s: %s", company_id, missing)
        return "refused"
    if publication.behind:
        wake(company_id=company_id)
    if not publication.created:
        return "unchanged"
    prune_runs(company_id=company_id, now=timezone.now())
    return "published"
