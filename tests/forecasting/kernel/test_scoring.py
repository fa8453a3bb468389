import numpy as np
import pytest

from forecasting.kernel.scoring import (
    coverage,
    crps_days,
    error_days,
    largest_reliability_gap,
    pinball_days,
    reliability,
)

TEN_DAYS = np.full(99, 10)


def test_a_point_forecast_scores_its_absolute_error():
    truths = np.array([4, 10, 25])
    np.testing.assert_allclose(
        crps_days(quantile_days=TEN_DAYS, truth_days=truths, horizon_days=365), [6.0, 0.0, 15.0]
    )


def test_a_forecast_beyond_the_horizon_and_a_truth_beyond_it_agree():
    beyond = np.full(99, 366)
    assert crps_days(quantile_days=beyond, truth_days=np.array([366, 900]), horizon_days=365).tolist() == [
        0.0,
        0.0,
    ]
    assert error_days(p50_days=366, truth_days=np.array([1_000]), horizon_days=365).tolist() == [0.0]


def test_the_score_of_quantiles_is_the_integral_that_defines_it():
    """CRPS = E|X - y| - E|X - X'| / 2 for a law X with these quantiles."""
    rng = np.random.default_rng(1)
    sample = np.sort(rng.gamma(9.0, 12.0, 200_000))
    quantiles = np.quantile(sample, np.arange(1, 100) / 100.0)
    y = 130.0
    exact = np.abs(sample - y).mean() - np.abs(sample - rng.permutation(sample)).mean() / 2.0
    found = crps_days(quantile_days=quantiles, truth_days=np.array([y]), horizon_days=3_650)[0]
    assert found == pytest.approx(exact, rel=0.03)


def test_the_true_law_scores_better_than_a_narrow_a_wide_or_a_shifted_one():
    rng = np.random.default_rng(2)
    truths = rng.normal(100.0, 10.0, 4_000)
    normal = np.quantile(rng.normal(0.0, 1.0, 200_000), np.arange(1, 100) / 100.0)

    def mean_score(mean, sd):
        return crps_days(quantile_days=mean + sd * normal, truth_days=truths, horizon_days=365).mean()

    assert mean_score(100, 10) < min(mean_score(100, 3), mean_score(100, 30), mean_score(112, 10))


def test_pinball_costs_more_on_the_side_the_quantile_should_not_err_on():
    loss = pinball_days(quantile_days=TEN_DAYS, truth_days=np.array([0, 20]), horizon_days=365)
    assert loss[0, 4] == pytest.approx(9.5)  # p5 is above the truth: wrong 95 times of a hundred
    assert loss[1, 4] == pytest.approx(0.5)


def test_coverage_counts_the_ends_as_inside():
    found = coverage(
        p5_days=np.array([10, 10, 10, 10]),
        p95_days=np.array([20, 20, 20, 366]),
        truth_days=np.array([10, 9, 21, 900]),
        horizon_days=365,
    )
    assert (found.below_p5, found.inside, found.above_p95) == (0.25, 0.5, 0.25)


def test_reliability_compares_forecast_with_frequency():
    probabilities = np.array([0.05, 0.05, 0.85, 0.85, 1.0])
    bins = reliability(probabilities=probabilities, came_true=np.array([False, True, True, True, True]))
    assert [(b.count, b.frequency) for b in bins] == [(2, 0.5), (2, 1.0), (1, 1.0)]
    assert largest_reliability_gap(bins) == pytest.approx(0.45)
    assert largest_reliability_gap(bins, least_count=3) == 0.0
