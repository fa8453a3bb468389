"""UTC months, half-open: `[first, next_first)`. The journal is partitioned by them."""

from datetime import UTC, date, datetime


def month_of(instant: datetime) -> date:
    """Return the first day of the UTC month an aware instant lies in."""
    utc = instant.astimezone(UTC)
    return date(utc.year, utc.month, 1)


def months_after(month: date, count: int) -> date:
    """Return the first day of the month `count` months later (earlier when negative)."""
    months = month.year * 12 + month.month - 1 + count
    return date(months // 12, months % 12 + 1, 1)
