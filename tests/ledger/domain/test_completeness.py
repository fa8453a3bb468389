"""An account's own habits tell whether it is silent."""

from datetime import date, timedelta

from ledger.domain.completeness import EMPTY, FRESH, LATE, SILENT, Gap, rhythm

TODAY = date(2026, 6, 30)


def every(step: int, *, count: int, last: date = TODAY) -> list[date]:
    return [last - timedelta(days=step * n) for n in range(count)]


def test_an_account_without_events_is_empty() -> None:
    assert rhythm(active_days=[TODAY + timedelta(days=3)], today=TODAY).state == EMPTY


def test_the_same_quiet_is_fresh_for_a_monthly_account_and_silent_for_a_daily_one() -> None:
    last = TODAY - timedelta(days=20)
    assert rhythm(active_days=every(30, count=12, last=last), today=TODAY).state == FRESH
    assert rhythm(active_days=every(1, count=90, last=last), today=TODAY).state == SILENT
    week = TODAY - timedelta(days=7)
    assert rhythm(active_days=every(1, count=90, last=week), today=TODAY).state == LATE


def test_missing_weeks_are_named_with_their_first_and_last_day() -> None:
    days = [day for day in every(1, count=120) if not date(2026, 5, 4) <= day <= date(2026, 5, 17)]
    found = rhythm(active_days=days, today=TODAY)
    assert found.gaps == (Gap(date(2026, 5, 4), date(2026, 5, 17)),)
    assert found.gaps[0].days == 14


def test_weekends_are_no_gaps() -> None:
    days = [day for day in every(1, count=120) if day.weekday() < 5]
    assert rhythm(active_days=days, today=TODAY).gaps == ()
