import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.kernel.calendar import month_steps
from forecasting.kernel.near_zero import places_of_few
from forecasting.kernel.noise import monthly_noise
from tests.forecasting.kernel.samples import AS_OF, epoch_day, shocks


@given(flags=st.lists(st.booleans(), max_size=70))
def test_the_places_of_few_flags_are_those_of_any(flags):
    flags = np.array(flags, bool)
    assert places_of_few(flags).tolist() == np.flatnonzero(flags).tolist()


def test_flags_in_rows_are_counted_through():
    flags = np.zeros((31, 13), bool)
    flags[[0, 4, 30], [0, 12, 12]] = True
    assert places_of_few(flags).tolist() == [0, 4 * 13 + 12, 31 * 13 - 1]


@pytest.mark.parametrize("horizon_days", [1, 21, 22, 130])
def test_the_unit_noise_of_a_month_is_bounded_closely_from_both_sides(horizon_days):
    """A bound of nothing is true too: these are the least and the greatest day themselves, to a rounding."""
    drawn = shocks(paths=200, horizon_days=130)
    steps = month_steps(as_of_day=epoch_day(AS_OF), horizon_days=horizon_days)
    noise = monthly_noise(sd_per_day=np.ones(horizon_days), steps=steps, shocks=drawn)
    for step in range(steps.count):
        days = noise.day_by_day(step=step, start=0, stop=200, paths=np.arange(200))
        for bound, found, outward in (
            (noise.unit.lowest[step], days.min(axis=0), -1),
            (noise.unit.highest[step], days.max(axis=0), 1),
        ):
            assert ((bound - found) * outward >= 0.0).all()
            np.testing.assert_allclose(bound, found, rtol=1e-5)


def test_what_is_kept_by_calendar_is_found_again_by_the_same_calendar_only():
    drawn = shocks(paths=200, horizon_days=130)

    def unit(as_of_day):
        steps = month_steps(as_of_day=as_of_day, horizon_days=130)
        return monthly_noise(sd_per_day=np.ones(130), steps=steps, shocks=drawn).unit

    first = unit(epoch_day(AS_OF))
    assert unit(epoch_day(AS_OF)) is first
    assert not np.array_equal(unit(epoch_day(AS_OF) + 1).totals, first.totals)
