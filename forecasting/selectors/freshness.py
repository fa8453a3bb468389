"""Which forecasts are behind what is known by now."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import F, Max

from forecasting.engine import ENGINE_VERSION
from forecasting.models.cursor import ForecastCursor
from forecasting.models.plan import Plan
from ledger.selectors.companies import all_companies
from ledger.selectors.journal import journal_positions

# Balances are stated and rates published without an event: look again this often.
CONFIRM_EVERY = timedelta(hours=1)
_SINCE_CLAIM = """
    SELECT extract(epoch FROM statement_timestamp() - claimed_at)::float8 FROM forecasting_forecastcursor
    WHERE company_id = %s
"""


def companies_behind(*, now: datetime) -> tuple[int, ...]:
    """Companies whose forecast lags behind journal, plan, engine or calendar day, or was long not checked.

    Those that were never computed come first, then those checked longest ago.
    """
    zones = {company.id: company.timezone for company in all_companies()}
    versions = dict(
        Plan.objects.values("company_id").annotate(newest=Max("version")).values_list("company_id", "newest")
    )
    cursors = {
        cursor.company_id: cursor
        for cursor in ForecastCursor.objects.annotate(engine_version=F("free_run__engine_version"))
    }
    behind = []
    for company_id, position in journal_positions().items():
        if position == 0:
            continue
        cursor = cursors.get(company_id)
        if cursor is None or cursor.checked_at is None:
            behind.append((datetime.min.replace(tzinfo=now.tzinfo), company_id))
        elif (
            position > cursor.position
            or versions.get(company_id, 0) > cursor.plan_version
            or cursor.engine_version not in (None, ENGINE_VERSION)
            or now - cursor.checked_at >= CONFIRM_EVERY
            or _day(now, zones[company_id]) > _day(cursor.checked_at, zones[company_id])
        ):
            behind.append((cursor.checked_at, company_id))
    return tuple(company_id for _, company_id in sorted(behind))


def companies_with_events() -> tuple[int, ...]:
    """Every company that can have a forecast."""
    return tuple(company_id for company_id, position in journal_positions().items() if position)


def seconds_since_claim(*, company_id: int) -> float | None:
    """How long ago a worker last began to compute the company, on the database's clock; None if nothing counts."""
    with connection.cursor() as cursor:
        cursor.execute(_SINCE_CLAIM, [company_id])
        found = cursor.fetchone()
    return found[0] if found is not None else None


def _day(instant: datetime, zone: str) -> date:
    return instant.astimezone(ZoneInfo(zone)).date()
