"""Scores of one forecast by hand."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.scores import BANDS, Foretold, foretold, quantile_score, score_cash, score_runway


def told(**fields: Any) -> Foretold:
    values: dict[str, Any] = {
        "as_of": date(2026, 1, 1),
        "horizon_days": 365,
        "balance": 100.0,
        "bands": {30: (10.0, 20.0, 30.0, 40.0, 50.0)},
        "zero_by": {30: 0.1},
        "quantile_days": (40,) * 99,
        "dispersion": 1.0,
        "linear_burn": 2.0,
    }
    return Foretold(**values | fields)


def test_a_single_number_scores_its_absolute_error() -> None:
    assert quantile_score(quantiles=[70.0] * 5, outcome=100.0) == pytest.approx(30.0)
    assert quantile_score(quantiles=[70.0] * 5, outcome=50.0) == pytest.approx(20.0)


def test_the_score_is_twice_the_mean_pinball_loss() -> None:
    # 0.05*25 + 0.25*15 + 0.5*5 + 0.25*5 + 0.05*15, over five, twice
    assert quantile_score(quantiles=[10, 20, 30, 40, 50], outcome=35) == pytest.approx(2 * 9.5 / 5)


@given(st.lists(st.integers(-1000, 1000), min_size=5, max_size=5).map(sorted), st.integers(-1000, 1000))
def test_the_score_is_never_negative_and_zero_only_for_the_truth(quantiles: list[int], outcome: int) -> None:
    score = quantile_score(quantiles=quantiles, outcome=outcome)
    assert score >= 0.0
    assert (score == 0.0) == (set(quantiles) == {outcome})


def test_cash_is_held_to_the_outcome_and_to_linear_extrapolation() -> None:
    scored = score_cash(told(), days_ahead=30, actual=30.0)
    assert (scored.normal_score, scored.linear) == (0.0, 40.0)


def test_a_published_stretch_is_taken_out_of_the_normal_score() -> None:
    at_p5 = score_cash(told(dispersion=1.5), days_ahead=30, actual=10.0)
    assert at_p5.normal_score == pytest.approx(-1.645 * 1.5, abs=0.01)


def test_a_runway_is_held_to_how_long_cash_lasted() -> None:
    scored = score_runway(told(), actual_days=55)
    assert (scored.actual_days, scored.error_days, scored.crps_days) == (55, 15.0, pytest.approx(15.0))
    assert (scored.linear_days, scored.linear_error_days) == (50.0, 5.0)


def test_a_runway_that_outlasted_the_horizon_is_censored_one_day_beyond() -> None:
    scored = score_runway(told(quantile_days=(366,) * 99), actual_days=None)
    assert (scored.actual_days, scored.error_days, scored.crps_days) == (None, 0.0, 0.0)
    assert scored.linear_error_days == 316.0


def test_without_burn_the_linear_runway_is_beyond_and_without_cash_it_is_one_day() -> None:
    assert told(linear_burn=-1.0).linear_days == 366.0
    assert told(balance=-1.0).linear_days == 1.0


def test_the_days_of_a_short_horizon_are_left_out() -> None:
    bands = {name: [float(n) for n in range(45)] for name in BANDS} | {"days": list(range(1, 46))}
    read = foretold(
        {
            "as_of": "2026-01-01",
            "horizon_days": 45,
            "balance": "10.00",
            "bands": bands,
            "probability_of_zero_by": {"30": 0.25, "60": None},
            "quantile_days": [None] * 99,
        },
        linear_burn=1.0,
    )
    assert list(read.bands) == [30]
    assert read.bands[30] == (29.0,) * 5
    assert read.zero_by == {30: 0.25}
    assert set(read.quantile_days) == {46}
    assert read.dispersion == 1.0
