"""Quiet hours and skipped days, in the company's time."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudpolicy.engine.policy import Quiet, QuietHours
from cloudpolicy.engine.quiet import is_always_quiet, quiet_now

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
EVERY_DAY = frozenset(range(7))
NIGHTS = Quiet(hours=(QuietHours(EVERY_DAY, time(22), time(7)),))


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("clock", "ends"),
    [
        ("2026-03-02T21:59", None),
        ("2026-03-02T22:00", "2026-03-03T07:00"),
        ("2026-03-03T06:59", "2026-03-03T07:00"),
        ("2026-03-03T07:00", None),
    ],
)
def test_quiet_hours_reach_over_midnight_and_end_half_open(clock: str, ends: str | None) -> None:
    found = quiet_now(quiet=NIGHTS, local_now=at(clock))
    assert (found and found[1]) == (at(ends).astimezone(UTC) if ends else None)


def test_quiet_hours_are_told_in_the_companys_zone() -> None:
    instant = datetime(2026, 3, 2, 22, 30, tzinfo=UTC)
    assert quiet_now(quiet=NIGHTS, local_now=instant.astimezone(BERLIN)) is not None
    assert quiet_now(quiet=NIGHTS, local_now=instant.astimezone(NEW_YORK)) is None


def test_hours_of_a_day_begin_on_that_day_alone() -> None:
    friday = Quiet(hours=(QuietHours(frozenset({4}), time(18), time(6)),))
    assert quiet_now(quiet=friday, local_now=at("2026-03-06T23:00")) is not None
    assert quiet_now(quiet=friday, local_now=at("2026-03-07T05:00")) is not None
    assert quiet_now(quiet=friday, local_now=at("2026-03-07T19:00")) is None


def test_a_skipped_day_and_the_nights_round_it_are_one_period() -> None:
    quiet = Quiet(NIGHTS.hours, frozenset({date(2026, 12, 24), date(2026, 12, 25)}))
    found = quiet_now(quiet=quiet, local_now=at("2026-12-23T23:00"))
    assert found is not None
    assert found[0].code == "quiet_hours"
    assert found[1] == at("2026-12-26T07:00").astimezone(UTC)


def test_an_end_that_the_clocks_skip_is_the_first_instant_after_it() -> None:
    until_half_past_two = Quiet(hours=(QuietHours(EVERY_DAY, time(0), time(2, 30)),))
    found = quiet_now(quiet=until_half_past_two, local_now=at("2026-03-29T01:00"))
    assert found is not None
    assert found[1] == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_hours_that_leave_no_minute_are_recognised() -> None:
    assert is_always_quiet([QuietHours(EVERY_DAY, time(8), time(8))])
    assert not is_always_quiet([QuietHours(EVERY_DAY, time(8), time(7, 59))])
    assert not is_always_quiet([])


@settings(max_examples=60)
@given(
    instant=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
    start=st.times(),
    end=st.times(),
    days=st.frozensets(st.integers(0, 6), max_size=6),
    zone=st.sampled_from([BERLIN, NEW_YORK, ZoneInfo("Asia/Kathmandu")]),
)
def test_quiet_ends_later_than_now_and_is_over_then(
    instant: datetime, start: time, end: time, days: frozenset[int], zone: ZoneInfo
) -> None:
    quiet = Quiet(
        hours=(QuietHours(days, start.replace(second=0, microsecond=0), end.replace(second=0, microsecond=0)),)
    )
    found = quiet_now(quiet=quiet, local_now=instant.astimezone(zone))
    if found is not None:
        assert found[1] > instant
        assert quiet_now(quiet=quiet, local_now=found[1].astimezone(zone)) is None
