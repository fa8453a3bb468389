"""Which runs stay: those in force, the last of each day, the first of all, those somebody cites. The rest go.

A run is about 30 kB on each basis. A company with an event a minute would add 90 MB a day; the last run of each
day is what "since last week" and the track record need, and comes to 20 MB a year.
"""

import logging
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import ProtectedError

from forecasting.models.run import ForecastRun

logger = logging.getLogger(__name__)

# A page or a plan that was being made when a run was superseded still finds it.
GRACE = timedelta(minutes=15)
# Days further back have been pruned by earlier runs; looking there again each second would cost for nothing.
LOOK_BACK = timedelta(days=7)
# In small bites, so that a backlog never holds locks for long.
RUNS_PER_CALL = 500

_SUPERSEDED = """
SELECT run.id FROM forecasting_forecastrun run
WHERE run.company_id = %s AND run.published_day >= %s
  AND NOT run.cited
  AND run.computed_at < %s
  AND EXISTS (
      SELECT FROM forecasting_forecastrun later
      WHERE later.company_id = run.company_id AND later.basis = run.basis
        AND later.published_day = run.published_day AND later.id > run.id)
  AND EXISTS (
      SELECT FROM forecasting_forecastrun earlier
      WHERE earlier.company_id = run.company_id AND earlier.basis = run.basis AND earlier.id < run.id)
  AND NOT EXISTS (
      SELECT FROM forecasting_forecastcursor cursor
      WHERE cursor.company_id = run.company_id AND run.id IN (cursor.free_run_id, cursor.bank_run_id))
ORDER BY run.id
LIMIT %s
"""


def prune_runs(*, company_id: int, now: datetime) -> int:
    """Delete a company's superseded runs that are older than the grace period; returns how many went.

    The company's first run stays, because there is nothing else to tell its first day's changes from. A run that
    another table protects (a scaling plan made from it) is marked as cited and stays for good.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SUPERSEDED, [company_id, (now - LOOK_BACK).date(), now - GRACE, RUNS_PER_CALL])
        superseded = [row[0] for row in cursor.fetchall()]
    if not superseded:
        return 0
    try:
        with transaction.atomic():
            return ForecastRun.objects.filter(id__in=superseded).delete()[0]
    except ProtectedError:
        return sum(_delete_or_cite(run_id) for run_id in superseded)


def _delete_or_cite(run_id: int) -> bool:
    """Delete one run, or mark it as cited when something refers to it."""
    runs = ForecastRun.objects.filter(id=run_id)
    try:
        with transaction.atomic():
            return runs.delete()[0] > 0
    except ProtectedError:
        runs.update(cited=True)
        logger.info("forecast_run_kept: %d is cited", run_id)
        return False
