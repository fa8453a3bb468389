"""The fast kernel and its slow twin, held together on random companies."""

from dataclasses import replace

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecasting.kernel.block import PathBlock
from forecasting.kernel.cash_terms import cash_terms
from forecasting.kernel.inputs import ForecastInputs
from forecasting.kernel.reference import reference_balances, reference_runway_days
from forecasting.kernel.resolution import smallest_balance
from forecasting.kernel.shocks import shocks_for
from forecasting.kernel.simulate import simulate
from tests.forecasting.kernel.strategies import companies

PATHS = 24
HORIZON_DAYS = 130


def daily_balances(inputs: ForecastInputs, seed: int) -> np.ndarray:
    """The fast kernel's balances on every day, float32 [horizon, paths]."""
    terms = cash_terms(inputs, shocks_for(seed=seed, paths=PATHS, horizon_days=HORIZON_DAYS))
    block = PathBlock(terms, start=0, stop=PATHS)
    months = block.days_of(np.ones((terms.steps.count, PATHS), bool))
    return np.concatenate(
        [months.balances(step=step) for step in np.flatnonzero(terms.steps.stops > terms.steps.starts)]
    )


def rounding(inputs: ForecastInputs, balances: np.ndarray) -> float:
    """What float32 may be off by: some units in a million of all that ever moves and of the largest balance."""
    moved = sum(np.abs(factor.daily).sum() for factor in inputs.factors)
    moved += sum(cloud.usage.daily.sum() + cloud.unbilled for cloud in inputs.cloud)
    moved += np.abs(inputs.fixed).sum() + 10 * inputs.shock_sd_per_day.sum() + 4 * inputs.persistent_sd.sum()
    return 2e-6 * float(moved * 3 + np.abs(balances).max()) + smallest_balance(inputs)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(inputs=companies(), seed=st.sampled_from([1, 42]))
def test_every_balance_is_the_one_the_slow_twin_finds(inputs, seed):
    slow = reference_balances(inputs, shocks_for(seed=seed, paths=PATHS, horizon_days=HORIZON_DAYS))
    fast = daily_balances(inputs, seed)
    assert fast.shape == slow.shape
    np.testing.assert_allclose(fast, slow, rtol=0, atol=rounding(inputs, slow))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(inputs=companies(), seed=st.sampled_from([1, 42]))
def test_the_runway_is_the_slow_twins_unless_a_balance_is_a_rounding_from_zero(inputs, seed):
    shocks = shocks_for(seed=seed, paths=PATHS, horizon_days=HORIZON_DAYS)
    slow = reference_balances(inputs, shocks)
    zero, off = smallest_balance(inputs), rounding(inputs, slow)
    earliest, latest = (
        reference_runway_days(balances=slow, opening_balance=inputs.opening_balance, zero=zero + shift)
        if inputs.opening_balance > zero
        else np.ones(PATHS, int)
        for shift in (off, -off)
    )
    runway = simulate(inputs, shocks).runway_days
    assert (earliest <= runway).all()
    assert (runway <= latest).all()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(inputs=companies())
def test_looking_closer_only_near_zero_finds_the_same_day_as_looking_everywhere(inputs):
    """The screen is exact: the very balances, compared bit for bit, wherever it looks."""
    shocks = shocks_for(seed=7, paths=PATHS, horizon_days=HORIZON_DAYS)
    zero = smallest_balance(inputs)
    everywhere = reference_runway_days(
        balances=daily_balances(inputs, 7), opening_balance=inputs.opening_balance, zero=np.float32(zero)
    )
    looser = reference_runway_days(
        balances=daily_balances(inputs, 7), opening_balance=inputs.opening_balance, zero=np.float32(zero) * 1.01
    )
    runway = simulate(replace(inputs), shocks, with_bands=False).runway_days
    assert ((runway == everywhere) | (runway == looser)).all()


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(inputs=companies(), seed=st.sampled_from([1, 42]))
def test_noise_is_looked_up_on_every_day_that_is_a_first_zero(inputs, seed):
    """The bounds that spare a look are true: all days of all months, one by one, hold no earlier zero."""
    terms = cash_terms(inputs, shocks_for(seed=seed, paths=PATHS, horizon_days=HORIZON_DAYS))
    block = PathBlock(terms, start=0, stop=PATHS)
    paths, days = block.days_of(np.ones((terms.steps.count, PATHS), bool)).first_zeros()
    found = np.full(PATHS, inputs.horizon_days)
    found[paths] = days
    below = daily_balances(inputs, seed) <= np.float32(terms.zero)
    np.testing.assert_array_equal(found, np.where(below.any(axis=0), below.argmax(axis=0), inputs.horizon_days))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(inputs=companies(), seed=st.sampled_from([1, 42]))
def test_a_months_noise_never_stands_below_its_bound(inputs, seed):
    terms = cash_terms(inputs, shocks_for(seed=seed, paths=PATHS, horizon_days=HORIZON_DAYS))
    worst = terms.noise.worst(start=0, stop=PATHS)
    for step in np.flatnonzero(terms.steps.stops > terms.steps.starts):
        lowest = terms.noise.day_by_day(step=step, start=0, stop=PATHS, paths=np.arange(PATHS)).min(axis=0)
        off = 1e-5 * float(terms.noise.highest_sd[step])  # a month of changing sd adds in another order
        assert (worst[step] <= lowest + off).all()
