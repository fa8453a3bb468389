from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.stats import kstest, t

from forecasting.kernel.shocks import STREAM_BYTES_PER_10_000_PATHS, Shocks, shocks_for
from forecasting.kernel.strata import draw_row, student_t4_quantile


def fresh(*, seed=1, paths=200, horizon_days=30) -> Shocks:
    """Shocks nobody else holds: the kept sets are pushed out."""
    for n in range(3):
        shocks_for(seed=1_000_000 + n, paths=1, horizon_days=1)
    return shocks_for(seed=seed, paths=paths, horizon_days=horizon_days)


def test_one_seed_and_size_is_drawn_once_per_process():
    assert shocks_for(seed=5, paths=50, horizon_days=10) is shocks_for(seed=5, paths=50, horizon_days=10)
    assert shocks_for(seed=6, paths=50, horizon_days=10) is not shocks_for(seed=5, paths=50, horizon_days=10)


def test_a_seed_gives_the_same_numbers_when_it_is_drawn_again():
    before = fresh()
    levels, noise = before.level_shocks("revenue").copy(), before.noise.copy()
    again = fresh()
    assert again is not before
    np.testing.assert_array_equal(again.level_shocks("revenue"), levels)
    np.testing.assert_array_equal(again.noise, noise)


def test_a_new_name_leaves_all_other_streams_as_they_were():
    alone = fresh().level_shocks("revenue").copy()
    crowded = fresh()
    crowded.level_shocks("hire 1")
    crowded.uniform(kind="tranche", name="revenue")
    np.testing.assert_array_equal(crowded.level_shocks("revenue"), alone)


def test_streams_of_one_name_and_another_kind_are_independent():
    shocks = fresh(paths=5_000)
    a, b = shocks.normal(kind="persistent", name="x"), shocks.normal(kind="lump shift", name="x")
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.05


def test_more_slots_add_rows_and_change_none():
    few = fresh().arrival_slots("lumps", slots=3)
    many = fresh().arrival_slots("lumps", slots=20)
    assert few.times.shape[1] == 8
    assert many.times.shape[1] == 24
    np.testing.assert_array_equal(few.times, many.times[:, :8])
    np.testing.assert_array_equal(few.spreads, many.spreads[:, :8])


def test_a_longer_horizon_begins_with_the_same_days():
    short, long = fresh(horizon_days=30), fresh(horizon_days=90)
    np.testing.assert_array_equal(long.noise[:, :30], short.noise)


def test_threads_that_ask_at_once_get_the_same_array():
    shocks = fresh(paths=2_000)
    with ThreadPoolExecutor(8) as pool:
        arrays = list(pool.map(lambda _: shocks.level_shocks("payroll:EUR"), range(32)))
    assert all(array is arrays[0] for array in arrays)


def test_streams_are_kept_within_their_budget_and_drawn_again_alike():
    shocks = fresh(paths=10_000, horizon_days=365)
    first = shocks.level_shocks("0").copy()
    for n in range(120):
        shocks.level_shocks(str(n))
    assert shocks.nbytes - shocks.noise.nbytes <= STREAM_BYTES_PER_10_000_PATHS
    np.testing.assert_array_equal(shocks.level_shocks("0"), first)


def test_the_global_generator_is_neither_read_nor_moved():
    np.random.seed(3)
    state = np.random.get_state()[1].copy()
    fresh().level_shocks("x")
    np.testing.assert_array_equal(np.random.get_state()[1], state)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"seed": -1, "paths": 10, "horizon_days": 10}, "seed"),
        ({"seed": 1, "paths": 0, "horizon_days": 10}, "paths"),
        ({"seed": 1, "paths": 10**7, "horizon_days": 10}, "paths"),
        ({"seed": 1, "paths": 10, "horizon_days": 0}, "horizon_days"),
    ],
)
def test_an_impossible_size_is_refused_by_name(arguments, named):
    with pytest.raises(ValueError, match=named):
        shocks_for(**arguments)


def test_one_stratum_holds_exactly_one_path():
    row = draw_row(generator=np.random.default_rng(1), paths=1_000)
    counts = np.bincount((row.uniforms() * 1_000).astype(int), minlength=1_000)
    assert (counts == 1).sum() >= 998  # float32 may round a number over its stratum's edge


def test_a_stratified_mean_is_unbiased_and_quieter_than_an_independent_one():
    """Over 400 seeds: the mean of an indicator and of a square has no bias, and a smaller spread."""

    def means(draw):
        return np.array([(draw(np.random.default_rng(seed)) < 0.3).mean() for seed in range(400)])

    stratified = means(lambda rng: draw_row(generator=rng, paths=97).uniforms())
    independent = means(lambda rng: rng.random(97))
    assert abs(stratified.mean() - 0.3) < 4 * stratified.std() / 20
    assert stratified.std() < independent.std() / 5


def test_a_product_of_two_rows_is_unbiased_too():
    found = [
        (draw_row(generator=np.random.default_rng(2 * n), paths=64).normals()
         * draw_row(generator=np.random.default_rng(2 * n + 1), paths=64).normals()).mean()
        for n in range(400)
    ]  # fmt: skip
    assert abs(np.mean(found)) < 4 * np.std(found) / 20


def test_daily_shocks_are_student_t_with_four_degrees_scaled_to_unit_variance():
    uniforms = np.array([1e-9, 0.001, 0.05, 0.3, 0.5, 0.9, 0.9999])
    np.testing.assert_allclose(
        student_t4_quantile(uniforms), t.ppf(uniforms, 4) / np.sqrt(2.0), rtol=1e-8, atol=1e-7
    )
    drawn = fresh(paths=20_000, horizon_days=2)
    day = np.array([drawn.noise_of_path(path)[1] for path in range(20_000)])
    assert kstest(day.astype(float) * np.sqrt(2.0), t(4).cdf).statistic < 0.001


def test_an_integer_law_reaches_its_shares_to_one_path():
    row = draw_row(generator=np.random.default_rng(4), paths=10_000)
    counts = row.counts(cumulative=np.array([0.2, 0.5, 0.9]))
    np.testing.assert_allclose(np.bincount(counts), [2_000, 3_000, 4_000, 1_000], atol=1)
    assert ((row.uniforms() <= 0.2) == (counts == 0)).mean() > 0.9998
