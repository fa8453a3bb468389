"""Closed months: whose figures have been reported, so that nothing more goes into them by accident."""

from collections.abc import Collection
from datetime import date, datetime
from zoneinfo import ZoneInfo

from ledger.domain.problems import FieldProblem


def local_month(instant: datetime, *, timezone: str) -> date:
    """Return the first day of the month an aware instant lies in, by the calendar of a time zone."""
    day = instant.astimezone(ZoneInfo(timezone))
    return date(day.year, day.month, 1)


def closed_month(instant: datetime, *, timezone: str, closed: Collection[date]) -> date | None:
    """Return the closed month an instant lies in, None when its month is open."""
    if not closed:
        return None
    month = local_month(instant, timezone=timezone)
    return month if month in closed else None


def closed_month_problem(month: date) -> FieldProblem:
    """Return the refusal of an event in a closed month."""
    return FieldProblem(
        "occurred_at", f"lies in {month:%Y-%m}, which is closed; an admin can record it with a reason"
    )
