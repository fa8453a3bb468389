"""Days on which banks move money."""

from datetime import date, timedelta
from functools import lru_cache

import holidays

# A currency settles where its central bank sits; the euro on TARGET days, which the ECB publishes.
_COUNTRY_BY_CURRENCY = {
    "AUD": "AU", "CAD": "CA", "CHF": "CH", "DKK": "DK", "GBP": "GB", "JPY": "JP", "NOK": "NO", "NZD": "NZ",
    "PLN": "PL", "SEK": "SE", "USD": "US",
}  # fmt: skip


def business_day_on_or_after(day: date, *, currency: str) -> date:
    """Return the day itself, or the next on which banks settle the currency.

    A currency without a calendar here has weekends and no holidays.
    """
    while day.weekday() >= 5 or day in _holidays(currency, day.year):
        day += timedelta(days=1)
    return day


@lru_cache(maxsize=256)
def _holidays(currency: str, year: int) -> frozenset[date]:
    if currency == "EUR":
        return frozenset(holidays.financial_holidays("ECB", years=year))
    country = _COUNTRY_BY_CURRENCY.get(currency)
    return frozenset(holidays.country_holidays(country, years=year)) if country else frozenset()
