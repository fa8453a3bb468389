"""Entering low, leaving high."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudpolicy.engine.band import Band, band_at
from tests.cloudpolicy.engine.samples import LADDER


def climb(series: list[float]) -> list[Band]:
    bands: list[Band] = []
    for p5_days in series:
        before = bands[-1].row_names if bands else ()
        bands.append(band_at(policy=LADDER, p5_days=p5_days, rows_in_force=before))
    return bands


@pytest.mark.parametrize(
    ("p5_days", "rows"),
    [
        (44.9, ("dev below 45", "dev below 60", "staging below 60", "production below 90")),
        (45, ("dev below 60", "staging below 60", "production below 90")),
        (59.9, ("dev below 60", "staging below 60", "production below 90")),
        (60, ("production below 90",)),
        (89.9, ("production below 90",)),
        (90, ()),
        (365, ()),
    ],
)
def test_rows_add_up_below_their_thresholds(p5_days: float, rows: tuple[str, ...]) -> None:
    assert band_at(policy=LADDER, p5_days=p5_days, rows_in_force=()).row_names == rows


@pytest.mark.parametrize(
    ("row", "held_at", "left_at"),
    [
        ("dev below 45", 60, 60.1),
        ("dev below 60", 120, 120.1),
        ("staging below 60", 120, 120.1),
        ("production below 90", 120, 120.1),
    ],
)
def test_a_row_is_left_at_a_higher_threshold_than_it_was_entered(row: str, held_at: float, left_at: float) -> None:
    low, held, left = climb([10, held_at, left_at])
    assert row in low.row_names
    assert row in held.row_names
    assert row not in left.row_names


def test_the_band_is_named_after_its_most_severe_row() -> None:
    assert [band.name for band in climb([200, 80, 50, 30])] == [
        "above the ladder",
        "below 90",
        "below 60",
        "below 45",
    ]


@pytest.mark.parametrize("threshold", [45, 60, 90, 120])
def test_a_p5_that_trembles_round_a_threshold_1000_times_moves_each_row_at_most_once(threshold: int) -> None:
    bands = climb([threshold + (0.5 if step % 2 else -0.5) for step in range(1000)])
    for row in LADDER.rows:
        in_force = [row.name in band.row_names for band in bands]
        assert sum(now != then for then, now in pairwise(in_force)) <= 1


@given(st.lists(st.floats(min_value=0, max_value=1e9, allow_nan=False), min_size=1, max_size=60))
def test_a_row_never_moves_more_often_than_p5_crosses_its_whole_gap(series: list[float]) -> None:
    bands = climb(series)
    for row in LADDER.rows:
        in_force = [False, *(row.name in band.row_names for band in bands)]
        moves = sum(now != then for then, now in pairwise(in_force))
        # The slow way: walk the series and count how often it goes all the way across.
        crossings, below = 0, False
        for p5_days in series:
            if (not below and p5_days < row.below_days) or (below and p5_days > row.until_days):
                below, crossings = not below, crossings + 1
        assert moves == crossings


@given(st.lists(st.floats(min_value=0, max_value=400), max_size=20), st.floats(min_value=0, max_value=400))
def test_a_falling_runway_never_takes_a_row_out_of_force(series: list[float], drop: float) -> None:
    last = climb([*series, 100.0])[-1]
    lower = band_at(policy=LADDER, p5_days=max(0.0, 100.0 - drop), rows_in_force=last.row_names)
    assert set(last.row_names) <= set(lower.row_names)
