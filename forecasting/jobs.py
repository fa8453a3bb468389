"""Work of the `forecast` queue: bring companies up to date, and find those that are not."""

import logging
import time
from datetime import datetime
from random import Random
from uuid import uuid4

from django.db import InterfaceError, OperationalError, close_old_connections
from django.utils import timezone

from forecasting.backoff import backoff_seconds
from forecasting.fit.history import MissingInputs
from forecasting.metrics import FORECASTS
from forecasting.selectors.freshness import companies_behind, seconds_since_claim
from forecasting.services.lease import LeaseBusy, LeaseLost
from forecasting.services.publish import publish_forecast
from forecasting.services.retention import prune_runs
from forecasting.wake import open_gate, others_wait, wake, wake_again
from ledger.domain.company import CompanyNotFound

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


def sweep(*, now: datetime) -> int:
    """Wake every company whose journal, plan, calendar day or engine is ahead of its forecast.

    Called by the scheduler every 10 s: the net under wake-ups that were lost, with Redis down or a worker killed.

    Returns:
        How many companies were found behind.
    """
    behind = companies_behind(now=now)
    for company_id in behind:
        wake(company_id=company_id)
    return len(behind)


def _paced(company_id: int) -> bool:
    """Wait until the company may be computed again; False when another company's job should go first."""
    elapsed = seconds_since_claim(company_id=company_id)
    while elapsed is not None and elapsed < PACE_SECONDS:
        slice_seconds = min(SLICE_SECONDS, PACE_SECONDS - elapsed)
        time.sleep(slice_seconds)
        elapsed += slice_seconds
        if others_wait():
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
