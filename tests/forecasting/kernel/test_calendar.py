from datetime import date

import numpy as np
import pytest

from forecasting.kernel.calendar import month_steps
from tests.forecasting.kernel.samples import epoch_day


def steps(as_of: date, horizon_days: int = 365):
    return month_steps(as_of_day=epoch_day(as_of), horizon_days=horizon_days)


def test_steps_follow_the_calendar():
    found = steps(date(2026, 3, 10), 60)
    # 21 days are left of March, then April, then 9 days of May.
    assert found.starts.tolist() == [0, 21, 51]
    assert found.stops.tolist() == [21, 51, 60]
    assert found.days_in_month.tolist() == [31, 30, 31]


def test_time_is_the_mean_day_of_a_step_in_months_of_30_4_days():
    found = steps(date(2026, 3, 10), 60)
    assert found.months_ahead[0] == pytest.approx(11.0 / 30.4)
    assert found.months_ahead[1] == pytest.approx((22 + 51) / 2 / 30.4)


@pytest.mark.parametrize(
    "month_end", [date(2025, 1, 31), date(2024, 2, 29), date(2025, 2, 28), date(2025, 12, 31)]
)
def test_a_month_end_leaves_step_0_empty_with_a_time_of_its_own(month_end):
    found = steps(month_end)
    assert (found.starts[0], found.stops[0]) == (0, 0)
    assert found.months_ahead[0] == 0.1
    assert np.isfinite(found.months_ahead).all()


@pytest.mark.parametrize("horizon_days", [1, 2, 3, 7])
def test_a_few_days_after_a_month_end_time_still_runs_forwards(horizon_days):
    found = steps(date(2025, 1, 31), horizon_days)
    assert (np.diff(found.months_ahead) >= 0.0).all()


@pytest.mark.parametrize("as_of", [date(2024, 2, 28), date(2024, 2, 29), date(2023, 2, 28), date(2025, 12, 31)])
@pytest.mark.parametrize("horizon_days", [1, 30, 365, 730])
def test_steps_tile_the_horizon(as_of, horizon_days):
    found = steps(as_of, horizon_days)
    np.testing.assert_array_equal(found.starts[1:], found.stops[:-1])
    assert found.stops[-1] == horizon_days
    np.testing.assert_array_equal(found.step_of_day, np.repeat(np.arange(found.count), found.stops - found.starts))


def test_a_day_of_month_is_the_last_day_of_a_shorter_month():
    found = steps(date(2024, 1, 31))
    assert found.day_index(step=1, day_of_month=5) == 4
    assert found.day_index(step=1, day_of_month=31) == 28  # 29 February 2024
    assert found.day_index(step=2, day_of_month=31) == 29 + 30


def test_a_day_of_month_before_the_as_of_date_lies_before_day_1():
    found = steps(date(2026, 3, 10))
    assert found.day_index(step=0, day_of_month=5) == -6
    assert found.day_index(step=0, day_of_month=11) == 0
