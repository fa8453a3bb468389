import numpy as np
import pytest

from forecasting.kernel.bands import bands_of, lowest_point
from forecasting.kernel.quantiles import is_determined, quantile_days, runway_quantile


def test_bands_are_the_inverted_cdf_of_each_day():
    balances = np.sort(np.random.default_rng(1).normal(size=(7, 130)).astype(np.float32), axis=1)
    bands = bands_of(balances)
    for percent, line in ((5, bands.p5), (25, bands.p25), (50, bands.p50), (75, bands.p75), (95, bands.p95)):
        np.testing.assert_array_equal(line, np.percentile(balances, percent, axis=1, method="inverted_cdf"))
    assert bands.days.tolist() == [1, 2, 3, 4, 5, 6, 7]


def test_the_lowest_point_is_the_first_of_equals():
    balances = np.array([[3.0], [1.0], [2.0], [1.0]], np.float32)
    point = lowest_point(bands_of(balances))
    assert (point.day, point.balance) == (2, 1.0)


@pytest.mark.parametrize("paths", [1, 7, 99, 100, 1_000, 10_000])
def test_runway_quantiles_are_the_inverted_cdf(paths):
    runway = np.random.default_rng(paths).integers(1, 367, paths).astype(np.int32)
    found = quantile_days(runway_days=runway, horizon_days=365)
    # In integers, by the definition: 0.07 * 100 is more than 7 in floats.
    days = np.arange(1, 367)
    reached = (runway[None, :] <= days[:, None]).sum(axis=1)
    expected = [int(days[reached * 100 >= percent * paths][0]) for percent in range(1, 100)]
    assert found.tolist() == expected


def test_a_quantile_is_the_smallest_day_that_its_share_of_paths_has_reached():
    runway = np.repeat(np.array([10, 20, 366], np.int32), [5, 45, 50])
    found = quantile_days(runway_days=runway, horizon_days=365)
    assert (found[4], found[5], found[49], found[50]) == (10, 20, 20, 366)


def test_a_quantile_beyond_the_horizon_equals_the_horizon_and_says_so():
    days = np.full(99, 366)
    quantile = runway_quantile(quantile_days=days, percent=95, horizon_days=365)
    assert (quantile.days, quantile.beyond_horizon) == (365, True)


@pytest.mark.parametrize(("p5", "p95", "determined"), [(80, 130, True), (80, 131, False), (80, 366, False)])
def test_a_runway_is_determined_when_its_interval_is_at_most_half_of_its_median(p5, p95, determined):
    days = np.concatenate([np.full(40, p5), np.full(30, 100), np.full(29, p95)])
    quantiles = {
        f"p{percent}": runway_quantile(quantile_days=days, percent=percent, horizon_days=365)
        for percent in (5, 50, 95)
    }
    assert is_determined(**quantiles) is determined
