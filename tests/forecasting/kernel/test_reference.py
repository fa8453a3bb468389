"""The fast kernel and its slow twin, held together on random companies."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecasting.kernel.inputs import ForecastInputs
from forecasting.kernel.path_balances import path_balances
from forecasting.kernel.reference import reference_balances, reference_runway_days
from forecasting.kernel.resolution import smallest_balance
from forecasting.kernel.shocks import shocks_for
from forecasting.kernel.simulate import simulate
from tests.forecasting.kernel.strategies import companies

PATHS = 24
HORIZON_DAYS = 130


def daily_balances(inputs: ForecastInputs, seed: int) -> np.ndarray:
    """The fast kernel's balances on every day, float32 [horizon, paths]."""
    shocks = shocks_for(seed=seed, paths=PATHS, horizon_days=HORIZON_DAYS)
    return path_balances(inputs, shocks, paths=PATHS).balances


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
@given(inputs=companies(), seed=st.sampled_from([1, 42]))
def test_paths_that_are_left_at_zero_have_the_runway_of_their_balances(inputs, seed):
    """Without charts a path is left when it and its neighbours are at zero; the day is the very same."""
    shocks = shocks_for(seed=seed, paths=PATHS, horizon_days=HORIZON_DAYS)
    zero = smallest_balance(inputs)
    everywhere = reference_runway_days(
        balances=daily_balances(inputs, seed), opening_balance=inputs.opening_balance, zero=np.float32(zero)
    )
    np.testing.assert_array_equal(simulate(inputs, shocks, with_bands=False).runway_days, everywhere)
