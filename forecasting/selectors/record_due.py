"""Whose track record is behind: forecasts whose days have come, and back-tests of the month."""

from datetime import datetime

from django.db import connection

from forecasting.engine import ENGINE_VERSION
from forecasting.scores import SCORED_DAYS

# A company is due when a forecast of its has a settled day without a score, when its newest back-test is
# unfinished, or when it has none of this month and this engine and its ledger is long enough for one. Free and
# bank runs of a moment share their days, so one of them tells.
_DUE = """
    WITH known AS (
        SELECT c.company_id, run.as_of - %(settle)s::integer AS known_to,
               (SELECT min(day) FROM ledger_dailyflow f WHERE f.company_id = c.company_id) AS first_day,
               (SELECT id FROM forecasting_backtest b WHERE b.company_id = c.company_id
                ORDER BY b.id DESC LIMIT 1) AS backtest_id
        FROM forecasting_forecastcursor c JOIN forecasting_forecastrun run ON run.id = c.bank_run_id
    )
    SELECT k.company_id FROM known k LEFT JOIN forecasting_backtest b ON b.id = k.backtest_id
    WHERE EXISTS (
        SELECT FROM forecasting_forecastrun run, unnest(%(days)s::integer[]) AS ahead
        WHERE run.company_id = k.company_id AND run.basis = 'bank'
          AND run.as_of + ahead <= k.known_to AND ahead <= run.horizon_days
          AND (run.cited OR NOT EXISTS (
              SELECT FROM forecasting_forecastrun later
              WHERE later.company_id = run.company_id AND later.basis = run.basis
                AND later.published_day = run.published_day AND later.id > run.id))
          AND NOT EXISTS (
              SELECT FROM forecasting_cashscore s WHERE s.run_id = run.id AND s.days_ahead = ahead)
    ) OR (
        b.id IS NOT NULL AND cardinality(b.as_of_days) > (
            SELECT count(*) FROM forecasting_backtestorigin o WHERE o.backtest_id = b.id)
    ) OR (
        (b.id IS NULL OR b.begun_at < %(month)s OR b.engine_version <> %(engine)s)
        AND k.first_day + %(least)s::integer <= k.known_to
    )
    ORDER BY b.begun_at NULLS FIRST, k.company_id LIMIT %(most)s
"""


def companies_to_judge(*, now: datetime, settle_days: int, least_days: int, most: int) -> tuple[int, ...]:
    """Return at most so many companies whose record is behind, those without a back-test first.

    Args:
        settle_days: after how many days a balance counts as known.
        least_days: how many settled days of events a back-test needs.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _DUE,
            {
                "settle": settle_days,
                "days": list(SCORED_DAYS),
                "month": now.replace(day=1, hour=0, minute=0, second=0, microsecond=0),
                "engine": ENGINE_VERSION,
                "least": least_days,
                "most": most,
            },
        )
        return tuple(row[0] for row in cursor.fetchall())
