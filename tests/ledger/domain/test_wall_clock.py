"""What a clock on the wall shows, and when that is."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from ledger.domain.wall_clock import NoSuchTime, instant_at

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("shown", "instant"),
    [
        ("2026-03-29T01:59:59", "2026-03-29T00:59:59"),
        ("2026-03-29T03:00:00", "2026-03-29T01:00:00"),
        ("2026-10-25T02:30:00", "2026-10-25T00:30:00"),  # the first of the two
        ("2026-10-25T03:00:00", "2026-10-25T02:00:00"),
    ],
)
def test_it_is_the_instant_at_which_clocks_first_showed_that(shown: str, instant: str) -> None:
    assert instant_at(datetime.fromisoformat(shown), zone=BERLIN).isoformat() == f"{instant}+00:00"


@pytest.mark.parametrize("shown", ["2026-03-29T02:00:00", "2026-03-29T02:59:59.999999"])
def test_the_hour_that_summer_time_skips_never_was(shown: str) -> None:
    with pytest.raises(NoSuchTime, match=r"Europe/Berlin never showed 02:.. on 2026-03-29"):
        instant_at(datetime.fromisoformat(shown), zone=BERLIN)
    assert instant_at(datetime.fromisoformat(shown), zone=ZoneInfo("UTC")).tzinfo is UTC


def test_a_time_before_the_first_year_of_utc_is_none() -> None:
    with pytest.raises(NoSuchTime, match="years 1 to 9999"):
        instant_at(datetime(1, 1, 1), zone=BERLIN)
