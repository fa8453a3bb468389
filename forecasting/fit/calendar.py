"""Business days: when a bank moves money, per country, with its public holidays."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import holidays
import numpy as np
from numpy.typing import NDArray

Days = NDArray[np.int64]

# Where no time zone names a country, the currency does. EUR has no country: the euro settles on TARGET days.
COUNTRY_BY_CURRENCY = {
    "AUD": "AU", "BRL": "BR", "CAD": "CA", "CHF": "CH", "CZK": "CZ", "DKK": "DK", "GBP": "GB", "HUF": "HU",
    "INR": "IN", "JPY": "JP", "KRW": "KR", "MXN": "MX", "NOK": "NO", "NZD": "NZ", "PLN": "PL", "RON": "RO",
    "SEK": "SE", "SGD": "SG", "TRY": "TR", "USD": "US", "ZAR": "ZA", "EUR": "ECB",
}  # fmt: skip

COUNTRY_BY_ZONE = {
    "Africa/Johannesburg": "ZA", "America/Mexico_City": "MX", "America/Sao_Paulo": "BR", "America/Toronto": "CA",
    "America/Vancouver": "CA", "Asia/Kolkata": "IN", "Asia/Seoul": "KR", "Asia/Singapore": "SG",
    "Asia/Tokyo": "JP", "Australia/Melbourne": "AU", "Australia/Sydney": "AU", "Europe/Amsterdam": "NL",
    "Europe/Athens": "GR", "Europe/Berlin": "DE", "Europe/Brussels": "BE", "Europe/Bucharest": "RO",
    "Europe/Budapest": "HU", "Europe/Copenhagen": "DK", "Europe/Dublin": "IE", "Europe/Helsinki": "FI",
    "Europe/Istanbul": "TR", "Europe/Lisbon": "PT", "Europe/London": "GB", "Europe/Luxembourg": "LU",
    "Europe/Madrid": "ES", "Europe/Oslo": "NO", "Europe/Paris": "FR", "Europe/Prague": "CZ",
    "Europe/Rome": "IT", "Europe/Stockholm": "SE", "Europe/Tallinn": "EE", "Europe/Vienna": "AT",
    "Europe/Warsaw": "PL", "Europe/Zurich": "CH", "Pacific/Auckland": "NZ",
}  # fmt: skip

YEARS_BACK = 12
YEARS_AHEAD = 4


@dataclass(frozen=True, slots=True)
class BusinessCalendar:
    """Days on which a country's banks settle. Days are int64, counted from 1970-01-01."""

    country: str
    settlement: np.busdaycalendar

    def is_business(self, days: Days) -> NDArray[np.bool_]:
        """True where a bank is open."""
        return np.is_busday(_dates(days), busdaycal=self.settlement)

    def on_or_before(self, days: Days) -> Days:
        """The day itself, or the business day before it: how payroll is paid."""
        return _numbers(np.busday_offset(_dates(days), 0, roll="backward", busdaycal=self.settlement))

    def on_or_after(self, days: Days) -> Days:
        """The day itself, or the business day after it: how rent and taxes fall due."""
        return _numbers(np.busday_offset(_dates(days), 0, roll="forward", busdaycal=self.settlement))


def calendar_for(*, country: str, year: int) -> BusinessCalendar:
    """The calendar of a country around a year. An unknown country has weekends and no holidays."""
    # One calendar serves a whole five-year span, so that companies share it whatever their as-of date.
    return _calendar(country, year - year % 5)


def country_of(*, currency: str, zone: str = "", base_currency: str = "", country: str = "") -> str:
    """The country whose holidays move a payment in `currency`.

    The company's own country counts for its base currency only: its London staff is paid by London's calendar.
    """
    if currency == base_currency and country:
        return country
    if currency == base_currency and zone in COUNTRY_BY_ZONE:
        return COUNTRY_BY_ZONE[zone]
    return COUNTRY_BY_CURRENCY.get(currency, "")


def add_months(*, month: NDArray[np.int64], day_of_month: NDArray[np.int64] | int) -> Days:
    """The day numbers of a day of the month, clipped to the month's length; months count from 1970-01."""
    first = _numbers(month.astype("datetime64[M]").astype("datetime64[D]"))
    length = _numbers((month + 1).astype("datetime64[M]").astype("datetime64[D]")) - first
    clipped: Days = first + np.minimum(day_of_month, length) - 1
    return clipped


def days_in_month(month: NDArray[np.int64]) -> NDArray[np.int64]:
    """28..31; months count from 1970-01."""
    return add_months(month=month + 1, day_of_month=1) - add_months(month=month, day_of_month=1)


def month_of(days: Days) -> NDArray[np.int64]:
    """Months since 1970-01."""
    return _dates(days).astype("datetime64[M]").astype(np.int64)


def day_of_month(days: Days) -> NDArray[np.int64]:
    """1..31."""
    dates = _dates(days)
    return (dates - dates.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64) + 1


def day_of_week(days: Days) -> NDArray[np.int64]:
    """0 = Monday; 1970-01-01 was a Thursday."""
    return (days + 3) % 7


def day_of_year(days: Days) -> NDArray[np.int64]:
    """1..366."""
    dates = _dates(days)
    return (dates - dates.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.int64) + 1


@lru_cache(maxsize=64)
def _calendar(country: str, era: int) -> BusinessCalendar:
    years = range(era - YEARS_BACK, era + 5 + YEARS_AHEAD)
    days: list[date] = []
    if country == "ECB":
        days = list(holidays.financial_holidays("ECB", years=years))
    elif country in holidays.list_supported_countries():
        days = list(holidays.country_holidays(country, years=years))
    closed = np.array(sorted(days), dtype="datetime64[D]")
    return BusinessCalendar(country=country, settlement=np.busdaycalendar(holidays=closed))


def _dates(days: Days) -> NDArray[np.datetime64]:
    return np.asarray(days, dtype=np.int64).astype("datetime64[D]")


def _numbers(dates: NDArray[np.datetime64]) -> Days:
    return dates.astype("datetime64[D]").astype(np.int64)
