from datetime import date

import numpy as np
import pytest

from forecasting.fit.calendar import calendar_for
from forecasting.fit.schedule import PaySchedule, read_schedule
from ledger.domain.flows import day_number

US = calendar_for(country="US", year=2025)
GB = calendar_for(country="GB", year=2025)
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


def test_the_last_friday_of_the_month_is_a_pay_day():
    fridays = [
        "2024-07-26", "2024-08-30", "2024-09-27", "2024-10-25", "2024-11-29", "2024-12-27", "2025-01-31",
        "2025-02-28", "2025-03-28", "2025-04-25", "2025-05-30",
    ]  # fmt: skip
    schedule = read_schedule(days=np.array([day_number(date.fromisoformat(day)) for day in fridays]), calendar=GB)
    assert schedule is not None
    assert (schedule.weekday, schedule.nth, schedule.runs_per_month) == (4, -1, 1.0)
    ahead = schedule.days_after(
        day=day_number(date(2025, 5, 30)), until=day_number(date(2025, 9, 30)), calendar=GB
    )
    assert [str(np.datetime64(int(day), "D")) for day in ahead] == [
        "2025-06-27", "2025-07-25", "2025-08-29", "2025-09-26",
    ]  # fmt: skip


def test_the_third_wednesday_is_told_from_the_15th():
    days = schedule_days(PaySchedule(0, 0, (), "before", weekday=2, nth=3), start="2024-06-01", end="2025-05-31")
    schedule = read_schedule(days=days, calendar=GB)
    assert schedule is not None
    assert (schedule.weekday, schedule.nth) == (2, 3)


def test_a_month_end_that_is_often_a_friday_stays_a_month_end():
    days = schedule_days(PaySchedule(0, 0, (31,), "before"), start="2024-06-01", end="2025-05-31")
    schedule = read_schedule(days=days, calendar=GB)
    assert schedule is not None
    assert (schedule.weekday, schedule.days_of_month) == (-1, (31,))


def schedule_days(schedule: PaySchedule, *, start: str, end: str) -> np.ndarray:
    first, last = (day_number(date.fromisoformat(day)) for day in (start, end))
    return schedule.days_after(day=first, until=last, calendar=GB)
