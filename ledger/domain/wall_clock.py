"""Times as a clock on the wall shows them, without an offset: which instant they are in a time zone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


class NoSuchTime(ValueError):
    """No clock of the time zone ever showed that time; the message is a sentence."""


def instant_at(shown: datetime, *, zone: ZoneInfo) -> datetime:
    """Return the instant in UTC at which clocks in a zone showed a time.

    In the hour that comes twice when summer time ends, it is the first of the two: whoever means the second can
    write an offset.

    Args:
        shown: naive.

    Raises:
        NoSuchTime: it lies in the hour that is left out when summer time begins, or at the ends of the calendar.
            Who states the first kept time in another zone than we believe, so all his other times are doubtful.
    """
    try:
        instant = shown.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError:
        raise NoSuchTime("lies outside of the years 1 to 9999 of UTC") from None
    if instant.astimezone(zone).replace(tzinfo=None, fold=0) != shown.replace(fold=0):
        raise NoSuchTime(
            f"clocks in {zone.key} never showed {shown:%H:%M} on {shown:%Y-%m-%d}: they skip that hour"
        )
    return instant
