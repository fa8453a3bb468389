"""Dates as printed."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from ledger.importers.csv_dates import AmbiguousOrder, InvalidMoment, detect_order, read_moment

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("2026-01-31", None),
        ("2026-1-31", None),
        ("2026/01/31", None),
        ("20260131", None),
        ("31.01.2026", None),
        ("31.1.26", "dmy"),
        ("31/01/2026", "dmy"),
        ("01/31/2026", "mdy"),
        ("1-31-26", "mdy"),
        ("31 Jan 2026", None),
        ("31-Jan-26", None),
        ("January 31, 2026", None),
        ("Jan 31 2026", None),
    ],
)
def test_a_date_is_noon_where_the_account_is(text, order):
    assert read_moment(text, order=order, timezone=NEW_YORK) == datetime(2026, 1, 31, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "hour", "minute"),
    [
        ("2026-01-31T09:30:00", 14, 30),
        ("2026-01-31 09:30", 14, 30),
        ("2026-01-31T09:30:00Z", 9, 30),
        ("2026-01-31T09:30:00.000000+02:00", 7, 30),
        ("2026-01-31 09:30:00 +0200", 7, 30),
        ("2026-01-31 09:30:00 UTC", 9, 30),
        ("1/31/2026, 9:30 PM", 2, 30),
        ("1/31/2026 12:05 a.m.", 5, 5),
    ],
)
def test_a_time_without_an_offset_is_local_and_one_with_an_offset_is_not(text, hour, minute):
    moment = read_moment(text, order="mdy", timezone=NEW_YORK)
    assert (moment.hour, moment.minute, moment.tzinfo) == (hour, minute, UTC)


def test_a_time_that_clocks_skip_is_refused_and_one_that_comes_twice_is_the_first():
    with pytest.raises(InvalidMoment, match="America/New_York never showed 02:30 on 2026-03-08"):
        read_moment("2026-03-08 02:30", order=None, timezone=NEW_YORK)
    assert read_moment("2026-03-08 02:30 UTC", order=None, timezone=NEW_YORK).hour == 2
    assert read_moment("2026-11-01 01:30", order=None, timezone=NEW_YORK) == datetime(
        2026, 11, 1, 5, 30, tzinfo=UTC
    )


def test_the_same_date_in_summer_is_another_instant():
    assert read_moment("2026-07-01", order=None, timezone=NEW_YORK) == datetime(2026, 7, 1, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "", "soon", "2026-02-30", "2026-13-01", "31.02.2026", "31/12/2026", "2026-01-31T25:00", "2026-01-31 nine",
        "2026-01-31T13:00 PM", "31 Foo 2026", "0000-01-01", "99999999", "1" * 60,
    ],
)  # fmt: skip
def test_what_is_no_date_is_refused_by_quoting_it(text):
    with pytest.raises(InvalidMoment, match="is not a date"):
        read_moment(text, order="mdy", timezone=NEW_YORK)


def test_the_first_and_the_last_day_of_the_calendar_do_not_overflow():
    with pytest.raises(InvalidMoment):
        read_moment("9999-12-31T23:59:59", order=None, timezone=NEW_YORK)


@pytest.mark.parametrize(
    ("texts", "order"),
    [
        (["03/04/2026", "31/04/2026"], "dmy"),
        (["03/04/2026", "04/31/2026"], "mdy"),
        (["2026-04-03", "20260403"], None),
        (["3.4.2026"], None),
        (["5/5/2026"], None),
        (["3 Apr 2026"], None),
        (["total", ""], None),
    ],
)
def test_it_detects_the_order(texts, order):
    assert detect_order(texts) == order


def test_it_does_not_guess_between_march_and_april():
    with pytest.raises(AmbiguousOrder, match="'03/04/2026' could be day first or month first"):
        detect_order(["03/04/2026", "05/06/2026"])
    with pytest.raises(AmbiguousOrder, match="some dates have the day first and some the month"):
        detect_order(["31/01/2026", "01/31/2026"])
