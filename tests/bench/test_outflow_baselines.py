"""The forecasts that ours is compared with say what is right where arithmetic knows it."""

import numpy as np
import pytest

from bench.outflow_baselines import ets, iid_monte_carlo


def test_a_steady_outflow_is_used_up_on_the_day_that_division_gives() -> None:
    outflow = np.full(200, 100.0)
    assert set(iid_monte_carlo(outflow, balance=4_200.0, horizon_days=90, window_days=180)) == {42}
    smoothed = ets(outflow, balance=4_200.0, horizon_days=90)
    assert smoothed is not None
    assert set(smoothed) == {42}


def test_a_balance_that_lasts_is_beyond_the_horizon() -> None:
    assert set(iid_monte_carlo(np.ones(200), balance=1e6, horizon_days=90, window_days=180)) == {91}


def test_noise_spreads_the_days_around_the_middle() -> None:
    outflow = np.random.default_rng(1).gamma(1.0, 100.0, size=560)
    for days in (
        iid_monte_carlo(outflow, balance=6_000.0, horizon_days=200, window_days=180),
        ets(outflow, balance=6_000.0, horizon_days=200),
    ):
        assert days is not None
        assert days[4] < days[49] < days[94]
        assert days[49] == pytest.approx(60, abs=12)


def test_a_young_ledger_has_nothing_to_smooth() -> None:
    assert ets(np.ones(100), balance=50.0, horizon_days=90) is None
