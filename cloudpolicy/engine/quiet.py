"""When nothing is changed: quiet hours and skipped days, in the company's own time."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from cloudpolicy.engine.policy import Quiet, QuietHours
from cloudpolicy.engine.reason import Reason

DAY = timedelta(days=1)
MINUTES_PER_DAY = 24 * 60
# Skipped days and quiet nights may follow each other for long; the search for their end stops here.
_MOST_PERIODS = 4000


def quiet_now(*, quiet: Quiet, local_now: datetime) -> tuple[Reason, datetime] | None:
    """Why nothing may be changed now, and when that ends; None when it may.

    Args:
        local_now: aware, in the company's time zone.
    """
    found = _period_at(quiet, local_now)
    if found is None:
        return None
    reason, end = found
    for _ in range(_MOST_PERIODS):
        following = _period_at(quiet, end)
        if following is None:
            break
        end = following[1]
    return Reason(reason.code, f"{reason.text}, until {end:%Y-%m-%d %H:%M}"), end.astimezone(UTC)


def is_always_quiet(hours: Sequence[QuietHours]) -> bool:
    """Whether no minute of the week is left."""
    week = bytearray(7 * MINUTES_PER_DAY)
    for each in hours:
        start = each.start.hour * 60 + each.start.minute
        length = (each.end.hour * 60 + each.end.minute - start) % MINUTES_PER_DAY or MINUTES_PER_DAY
        for day in each.days:
            for minute in range(start, start + length):
                week[(day * MINUTES_PER_DAY + minute) % len(week)] = 1
    return all(week)


def _period_at(quiet: Quiet, local: datetime) -> tuple[Reason, datetime] | None:
    """The quiet period that an instant lies in, with its end."""
    today = local.date()
    if today in quiet.skip_days:
        return Reason("skip_day", f"{today} is a day on which nothing is changed"), _at(
            local, today + DAY, time.min
        )
    ends = []
    for hours in quiet.hours:
        # One that began yesterday may reach into today.
        for begun in (today - DAY, today):
            if begun.weekday() not in hours.days:
                continue
            start = datetime.combine(begun, hours.start)
            end = datetime.combine(begun if hours.end > hours.start else begun + DAY, hours.end)
            if start <= local.replace(tzinfo=None) < end:
                ends.append(end)
    if not ends:
        return None
    last = max(ends)
    return Reason("quiet_hours", "these are quiet hours"), _at(local, last.date(), last.time())


def _at(local: datetime, day: date, clock: time) -> datetime:
    """A wall-clock time in the same zone. In an hour that clocks skip, the first instant after it."""
    wall = datetime.combine(day, clock, local.tzinfo)
    return wall.astimezone(UTC).astimezone(local.tzinfo)
