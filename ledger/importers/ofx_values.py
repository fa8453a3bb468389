"""Dates and amounts as OFX writes them."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

from ledger.domain.wall_clock import instant_at
from ledger.importers.bank_entry import noon

_MOMENT = re.compile(
    r"""(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})
        (?:(?P<hour>[0-9]{2})(?P<minute>[0-9]{2})(?P<second>[0-9]{2})?(?:\.(?P<fraction>[0-9]{1,6}))?)?
        \s*(?:\[(?P<offset>[+-]?(?:[0-9]{1,2}(?:\.[0-9]{1,2})?)?)(?::[A-Za-z/_ ]{1,40})?\])?""",
    re.VERBOSE,
)
_AMOUNT = re.compile(r"[+-]?(?:[0-9]{1,40}(?:[.,][0-9]{0,20})?|[.,][0-9]{1,20})")
MAX_SHOWN = 40
HOUR = timedelta(hours=1)
FURTHEST_OFFSET_HOURS = Decimal(14)


class InvalidValue(ValueError):
    """A text that is no value of its kind; the message says so."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Attributes:
    day: in the time zone of the account.
    """

    at: datetime
    day: date


def read_moment(text: str, *, timezone_of_account: ZoneInfo) -> Moment:
    """Read a date such as `20260131`, `20260131120000.000` or `20260131120000[-5:EST]`.

    Midnight means that the bank gives a day and no time, whatever offset stands behind it: such a day is noon in
    the time zone of the account. A time without an offset is taken in that time zone too. By the book it were UTC,
    but banks write their local time, and UTC would move what they book in the evening to another day.

    Raises:
        InvalidValue: no date, one that the calendar does not have, or a time that clocks skipped.
    """
    if not text:
        raise InvalidValue("is empty")
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise InvalidValue(f"{text[:MAX_SHOWN]!r} is not a date such as 20260131 or 20260131120000[-5:EST]")
    try:
        day = date(int(match["year"]), int(match["month"]), int(match["day"]))
        hour, minute, second = (int(match[part] or 0) for part in ("hour", "minute", "second"))
        if not hour and not minute and not second:
            return Moment(noon(day, timezone_of_account), day)
        micros = int((match["fraction"] or "0").ljust(6, "0"))
        shown = datetime(day.year, day.month, day.day, hour, minute, second, micros)  # noqa: DTZ001 - the zone follows
        zone = _zone(match["offset"])
        if zone is None:
            at = instant_at(shown, zone=timezone_of_account)
        else:
            at = shown.replace(tzinfo=zone).astimezone(UTC)
        return Moment(at, at.astimezone(timezone_of_account).date())
    except (ValueError, OverflowError) as error:
        raise InvalidValue(f"{text[:MAX_SHOWN]!r} is not a date: {error}") from error


def _zone(offset: str | None) -> timezone | None:
    if not offset or offset in "+-":
        return None
    hours = Decimal(offset)
    if abs(hours) > FURTHEST_OFFSET_HOURS:
        raise ValueError(f"no place on earth is {hours} hours from UTC")
    return timezone(float(hours) * HOUR)


def read_amount(text: str) -> Decimal:
    """Read a signed amount; the decimal mark is a point or a comma, and nothing groups thousands.

    Raises:
        InvalidValue: no amount.
    """
    if not text:
        raise InvalidValue("is empty")
    if not _AMOUNT.fullmatch(text):
        raise InvalidValue(f"{text[:MAX_SHOWN]!r} is not an amount such as -12.50")
    return Decimal(text.replace(",", ".")).normalize() + 0
