"""Stretching a forecast about its median."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.engine import forecast
from forecasting.kernel.dispersion import NORMAL, ranks, stretched
from forecasting.kernel.quantiles import quantile_days
from forecasting.outcome import Calibration
from tests.forecasting.journal import every, history

PERCENTS = np.arange(1, 100)


def test_at_one_the_quantiles_are_what_they_were() -> None:
    assert ranks(PERCENTS, count=10_000, dispersion=1.0).tolist() == [percent * 100 for percent in range(1, 100)]
    assert ranks(np.array([29]), count=100, dispersion=1.0).tolist() == [29]


@given(dispersion=st.floats(0.5, 3.0), count=st.integers(1, 20_000))
def test_ranks_ascend_stay_within_the_paths_and_keep_the_median(dispersion: float, count: int) -> None:
    found = ranks(PERCENTS, count=count, dispersion=dispersion)
    assert found[0] >= 1
    assert found[-1] <= count
    assert (np.diff(found) >= 0).all()
    assert found[49] == (50 * count + 99) // 100
    plain = ranks(PERCENTS, count=count, dispersion=1.0)
    wider = found <= plain if dispersion >= 1.0 else found >= plain
    assert wider[:49].all()


@given(dispersion=st.floats(0.5, 3.0), probability=st.floats(0.0, 1.0))
def test_a_probability_moves_towards_a_half_when_the_spread_is_widened(
    dispersion: float, probability: float
) -> None:
    moved = stretched(probability, dispersion=dispersion)
    assert 0.0 <= moved <= 1.0
    nearer = abs(moved - 0.5) <= abs(probability - 0.5) + 1e-9
    assert nearer or dispersion < 1.0
    assert stretched(0.0, dispersion=dispersion) == 0.0
    assert stretched(1.0, dispersion=dispersion) == 1.0


def test_the_quantiles_of_normal_days_are_those_of_a_normal_with_that_spread() -> None:
    days = np.rint(180 + 20 * np.random.default_rng(1).normal(size=200_000)).astype(np.int32)
    found = quantile_days(runway_days=days, horizon_days=365, dispersion=1.5)
    for percent in (5, 25, 50, 75, 95):
        expected = 180 + 1.5 * 20 * NORMAL.inv_cdf(percent / 100)
        assert found[percent - 1] == pytest.approx(expected, abs=1.1)


def test_days_balances_and_probabilities_of_a_forecast_keep_agreeing() -> None:
    text = every(1, start="2024-01-01", until="2025-06-30", line="-1000 card Cafe")
    text += every(17, start="2024-01-05", until="2025-06-30", line="-9000 legal Lawyers")
    plain = history(text, as_of="2025-06-30", cash="150000")
    wide, narrow = (
        forecast(
            history(
                text,
                as_of="2025-06-30",
                cash="150000",
                calibration=Calibration(state="calibrated", dispersion=dispersion, windows=20.0),
            ),
            basis="bank",
        )
        for dispersion in (1.6, 0.6)
    )
    own = forecast(plain, basis="bank")
    assert wide.p5_days < own.p5_days < narrow.p5_days <= narrow.p50_days
    assert wide.p50_days == own.p50_days == narrow.p50_days
    assert wide.bands.p50 == own.bands.p50 == narrow.bands.p50
    assert all(low <= high for low, high in zip(wide.bands.p5, own.bands.p5, strict=True))
    assert all(low >= high for low, high in zip(narrow.bands.p5, own.bands.p5, strict=True))
    assert wide.input_digest != own.input_digest
    # The share that is stated for a quantile's day is the quantile's level.
    for made in (wide, own, narrow):
        for day, share in made.probability_of_zero_by.items():
            reached = sum(1 for quantile in made.quantile_days if quantile is not None and quantile <= day)
            assert share == pytest.approx(reached / 100, abs=0.011)
