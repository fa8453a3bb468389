"""Days on which American banks move money."""

from datetime import date, timedelta
from functools import cache

import holidays

ONE_DAY = timedelta(days=1)


def is_workday(day: date) -> bool:
    return day.weekday() < 5 and day not in _bank_holidays(day.year)


def on_or_before(day: date) -> date:
    """The day itself or the workday before it: how payroll is paid."""
    while not is_workday(day):
        day -= ONE_DAY
    return day


def on_or_after(day: date) -> date:
    """The day itself or the workday after it: how rent and taxes fall due."""
    while not is_workday(day):
        day += ONE_DAY
    return day


def months_between(first: date, end: date) -> tuple[date, ...]:
    """The first days of all months that [first, end) touches."""
    month, months = first.replace(day=1), []
    while month < end:
        months.append(month)
        month = next_month(month)
    return tuple(months)


def next_month(month: date) -> date:
    """The first day of the month after."""
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)


def month_end(month: date) -> date:
    return next_month(month) - ONE_DAY


@cache
def _bank_holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("US", years=year))
