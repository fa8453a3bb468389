from datetime import date

import numpy as np
import pytest

from forecasting.fit.calendar import calendar_for
from forecasting.fit.schedule import PaySchedule, read_schedule
from ledger.domain.flows import day_number

US = calendar_for(country="US", year=2025)
START, END = day_number(date(2024, 5, 31)), day_number(date(2025, 6, 30))

SCHEDULES = [
    PaySchedule(step_days=0, anchor_day=0, days_of_month=(15, 31), moved="before"),
    PaySchedule(step_days=0, anchor_day=0, days_of_month=(1, 15), moved="before"),
    PaySchedule(step_days=0, anchor_day=0, days_of_month=(31,), moved="before"),
    PaySchedule(step_days=0, anchor_day=0, days_of_month=(25,), moved="before"),
    PaySchedule(step_days=0, anchor_day=0, days_of_month=(1,), moved="after"),
    PaySchedule(step_days=14, anchor_day=day_number(date(2025, 6, 27)), days_of_month=(), moved="before"),
    PaySchedule(step_days=7, anchor_day=day_number(date(2025, 6, 27)), days_of_month=(), moved="before"),
]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_it_reads_a_schedule_back_from_a_year_of_its_runs(schedule: PaySchedule):
    runs = schedule.days_after(day=START, until=END, calendar=US)
    found = read_schedule(days=runs, calendar=US)
    assert found is not None
    ahead = {"day": END, "until": END + 365, "calendar": US}
    assert found.days_after(**ahead).tolist() == schedule.days_after(**ahead).tolist()


def test_a_missed_run_does_not_hide_the_schedule():
    schedule = SCHEDULES[0]
    runs = np.delete(schedule.days_after(day=START, until=END, calendar=US), 9)
    found = read_schedule(days=runs, calendar=US)
    assert found is not None
    assert found.days_of_month == (15, 31)


def test_irregular_payments_have_no_schedule():
    assert read_schedule(days=np.array([20000, 20021, 20090, 20095, 20170]), calendar=US) is None
    assert read_schedule(days=np.array([20000, 20030]), calendar=US) is None


def test_semi_monthly_and_biweekly_pay_their_number_of_runs():
    assert SCHEDULES[0].runs_per_month == 2.0
    assert SCHEDULES[5].runs_per_month == pytest.approx(26.09 / 12, abs=1e-3)
