"""Dates and times the way banks and spreadsheets print them."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from ledger.domain.wall_clock import instant_at

ORDERS = ("dmy", "mdy")

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_DATE = re.compile(
    r"""(?:
        (?P<y>[0-9]{4})(?P<s>[-/.])(?P<m>[0-9]{1,2})(?P=s)(?P<d>[0-9]{1,2})
      | (?P<compact>[0-9]{8})
      | (?P<first>[0-9]{1,2})(?P<t>[-/.])(?P<second>[0-9]{1,2})(?P=t)(?P<year>[0-9]{4}|[0-9]{2})
      | (?P<day>[0-9]{1,2})[-/.\ ]?(?P<month>[A-Za-z]{3,9})\.?[-/,\ ]*(?P<yr>[0-9]{4}|[0-9]{2})
      | (?P<month2>[A-Za-z]{3,9})\.?[-\ ]?(?P<day2>[0-9]{1,2})[,\ ]+(?P<yr2>[0-9]{4})
    )(?P<rest>(?![0-9]).*)""",
    re.VERBOSE,
)
_TIME = re.compile(
    r"""(?:T|,?\ +)
        (?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?
        \ ?(?P<half>[AaPp]\.?[Mm]\.?)?
        \ ?(?P<zone>Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2})?""",
    re.VERBOSE,
)
_MAX_TEXT = 48


class InvalidMoment(ValueError):
    """A text that is no date; the message is a sentence."""


class AmbiguousOrder(ValueError):
    """Dates that could be day first or month first."""


def read_moment(text: str, *, order: str | None, timezone: ZoneInfo) -> datetime:
    """Read a date with or without a time and return it in UTC.

    A date without a time is noon in `timezone`, far from both ends of its day; a time without an offset is taken
    in `timezone`, the first time that clocks there showed it.

    Args:
        order: `dmy` or `mdy` for dates such as 03/04/2024; a four-digit year in front needs none.

    Raises:
        InvalidMoment: not a date, one that the calendar does not have, or a time that clocks skipped.
    """
    stripped = text.strip()
    match = _DATE.fullmatch(stripped) if len(stripped) <= _MAX_TEXT else None
    if match is None:
        raise InvalidMoment(f"{stripped[:_MAX_TEXT]!r} is not a date")
    try:
        year, month, day = _calendar_day(match, order)
        rest = match["rest"].strip("\u00a0")
        if not rest.strip():
            return datetime(year, month, day, 12, tzinfo=timezone).astimezone(UTC)
        return _at_time(rest, year, month, day, timezone)
    except (ValueError, OverflowError) as error:
        raise InvalidMoment(f"{stripped!r} is not a date: {error}") from error


def _calendar_day(match: re.Match[str], order: str | None) -> tuple[int, int, int]:
    if match["y"]:
        return int(match["y"]), int(match["m"]), int(match["d"])
    if match["compact"]:
        return int(match["compact"][:4]), int(match["compact"][4:6]), int(match["compact"][6:])
    if match["first"]:
        first, second = int(match["first"]), int(match["second"])
        if order == "mdy":
            return _full_year(match["year"]), first, second
        # Nobody writes the month first and dots.
        if order == "dmy" or match["t"] == "." or first == second:
            return _full_year(match["year"]), second, first
        raise ValueError("day and month could be either way round")
    name = match["month"] or match["month2"]
    month = _MONTHS.get(name[:3].lower())
    if month is None:
        raise ValueError(f"{name!r} is not an English month")
    return _full_year(match["yr"] or match["yr2"]), month, int(match["day"] or match["day2"])


def _full_year(digits: str) -> int:
    # A ledger of a start-up: two digits are this century.
    return int(digits) if len(digits) == 4 else 2000 + int(digits)


def _at_time(rest: str, year: int, month: int, day: int, timezone: ZoneInfo) -> datetime:
    match = _TIME.fullmatch(rest)
    if match is None:
        raise ValueError(f"{rest.strip()!r} is not a time")
    hour = int(match["hour"])
    if match["half"]:
        if not 1 <= hour <= 12:
            raise ValueError("an hour with am or pm is 1 to 12")
        hour = hour % 12 + (12 if match["half"].lower().startswith("p") else 0)
    microsecond = int((match["fraction"] or "0").ljust(6, "0")[:6])
    naive = datetime(year, month, day, hour, int(match["minute"]), int(match["second"] or 0), microsecond)  # noqa: DTZ001 - the zone follows
    zone = match["zone"]
    if zone is None:
        return instant_at(naive, zone=timezone)
    offset = "+0000" if zone in ("Z", "UTC", "GMT") else zone.replace(":", "")
    return datetime.strptime(
        f"{naive.isoformat(timespec='microseconds')}{offset}", "%Y-%m-%dT%H:%M:%S.%f%z"
    ).astimezone(UTC)


def detect_order(texts: Iterable[str]) -> str | None:
    """`dmy`, `mdy`, or None when no date of the sample needs an order (the year or a month's name tells).

    Raises:
        AmbiguousOrder: nothing settles it (no day above 12), or the sample contradicts itself.
    """
    orders: set[str] = set()
    unsettled = ""
    for text in texts:
        match = _DATE.fullmatch(text.strip()) if len(text) <= _MAX_TEXT else None
        if match is None or not match["first"]:
            continue
        first, second = int(match["first"]), int(match["second"])
        if first > 12 >= second:
            orders.add("dmy")
        elif second > 12 >= first:
            orders.add("mdy")
        elif first != second and match["t"] != ".":
            unsettled = unsettled or text.strip()
    if len(orders) == 2:
        raise AmbiguousOrder("some dates have the day first and some the month")
    if not orders and unsettled:
        raise AmbiguousOrder(f"dates such as {unsettled!r} could be day first or month first")
    return orders.pop() if orders else None
