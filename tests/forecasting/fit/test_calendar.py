from datetime import date

import numpy as np
import pytest

from forecasting.fit.calendar import add_months, calendar_for, country_of, day_of_week, month_of
from ledger.domain.flows import EPOCH, day_number


def days(*texts: str) -> np.ndarray:
    return np.array([day_number(date.fromisoformat(text)) for text in texts], dtype=np.int64)


def test_payroll_due_on_a_weekend_is_paid_before_it():
    us = calendar_for(country="US", year=2025)
    assert us.on_or_before(days("2025-08-31", "2025-08-15")).tolist() == days("2025-08-29", "2025-08-15").tolist()


def test_rent_due_on_a_holiday_waits_for_the_next_open_day():
    us = calendar_for(country="US", year=2025)
    # New Year's Day is a Wednesday; Labor Day is Monday, 2025-09-01.
    assert us.on_or_after(days("2025-01-01", "2025-09-01")).tolist() == days("2025-01-02", "2025-09-02").tolist()


@pytest.mark.parametrize(
    ("country", "closed", "open_"),
    [("DE", "2025-10-03", "2025-07-04"), ("US", "2025-07-04", "2025-10-03"), ("ECB", "2025-05-01", "2025-10-03")],
)
def test_each_country_has_its_own_holidays(country: str, closed: str, open_: str):
    assert calendar_for(country=country, year=2025).is_business(days(closed, open_)).tolist() == [False, True]


def test_an_unknown_country_has_weekends_and_no_holidays():
    nowhere = calendar_for(country="", year=2025)
    assert nowhere.is_business(days("2025-12-25", "2025-12-27")).tolist() == [True, False]


def test_a_currency_names_the_country_where_no_zone_does():
    assert country_of(currency="USD", base_currency="USD") == "US"
    assert country_of(currency="EUR", base_currency="EUR", zone="Europe/Berlin") == "DE"
    assert country_of(currency="EUR", base_currency="EUR") == "ECB"
    assert country_of(currency="GBP", base_currency="EUR", zone="Europe/Berlin") == "GB"
    assert country_of(currency="XXX", base_currency="USD") == ""


def test_a_day_of_the_month_is_clipped_to_the_months_length():
    february = month_of(days("2024-02-01", "2025-02-01"))
    assert add_months(month=february, day_of_month=31).tolist() == days("2024-02-29", "2025-02-28").tolist()


def test_weekdays_count_from_monday():
    assert day_of_week(days("2025-06-30")).tolist() == [0]
    assert day_of_week(np.array([0])).tolist() == [EPOCH.weekday()]
