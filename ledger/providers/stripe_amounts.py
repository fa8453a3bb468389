"""Stripe's numbers: whole minor units of a currency, and seconds since 1970."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from ledger.providers.provider import Unreadable

# https://docs.stripe.com/currencies#minor-units. ISK, UGX, HUF and TWD are not among them: Stripe states those in
# hundredths although nobody pays in hundredths.
ZERO_DECIMAL = frozenset("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split())  # noqa: SIM905
THREE_DECIMAL = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})


def currency_of(thing: dict[str, Any], field: str = "currency") -> str:
    """Return the ISO code of an object's currency, in capitals.

    Raises:
        Unreadable: it states none.
    """
    code = thing.get(field)
    if not isinstance(code, str) or len(code) != 3:
        raise Unreadable(f"{_name(thing)} states no {field}")
    return code.upper()


def minor_units(thing: dict[str, Any], field: str) -> int:
    """Return a whole number of an object.

    Raises:
        Unreadable: it is none.
    """
    value = thing.get(field)
    if type(value) is not int:
        raise Unreadable(f"{_name(thing)} states no whole {field}")
    return value


def in_currency(minor: int, currency: str) -> Decimal:
    """Return minor units as an amount: 1050 is 10.50 USD, 1050 JPY and 1.050 BHD."""
    if currency in ZERO_DECIMAL:
        return Decimal(minor)
    return Decimal(minor).scaleb(-3 if currency in THREE_DECIMAL else -2)


def instant_of(thing: dict[str, Any], *fields: str) -> datetime:
    """Return the first of an object's times that is stated.

    Raises:
        Unreadable: none is.
    """
    for field in fields:
        seconds = thing.get(field)
        if type(seconds) is int:
            try:
                return datetime.fromtimestamp(seconds, tz=UTC)
            except (OverflowError, OSError, ValueError):
                break
    raise Unreadable(f"{_name(thing)} states no {' or '.join(fields)}")


def day_of(thing: dict[str, Any], field: str, timezone: ZoneInfo) -> date:
    """Return the company's calendar day of a time."""
    return instant_of(thing, field).astimezone(timezone).date()


def noon_of(thing: dict[str, Any], field: str, timezone: ZoneInfo) -> datetime:
    """Return noon of a day that Stripe states as its midnight in UTC."""
    day = instant_of(thing, field).date()
    return datetime(day.year, day.month, day.day, 12, tzinfo=timezone).astimezone(UTC)


def text_of(thing: dict[str, Any], field: str) -> str:
    """Return a text of an object, empty when it has none; an expanded object counts as its id."""
    value = thing.get(field)
    if isinstance(value, dict):
        value = value.get("id")
    return value[:255] if isinstance(value, str) else ""


def id_of(thing: dict[str, Any]) -> str:
    """Raises Unreadable when an object has no id."""
    value = text_of(thing, "id")
    if not value:
        raise Unreadable("an object without an id")
    return value


def listed(thing: dict[str, Any], field: str) -> list[dict[str, Any]]:
    """Return the objects of a list, as an array or as Stripe's list object; [] when there is none."""
    value = thing.get(field)
    if isinstance(value, dict):
        value = value.get("data")
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _name(thing: dict[str, Any]) -> str:
    return text_of(thing, "id") or text_of(thing, "object") or "the object"
