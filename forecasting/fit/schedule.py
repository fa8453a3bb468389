"""Pay schedules: on which days a payroll runs, read from the days on which it ran."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.fit.calendar import BusinessCalendar, add_months, day_of_week, month_of

Ints = NDArray[np.int64]

BEFORE, AFTER, UNMOVED = "before", "after", "unmoved"  # where a pay day on a closed day goes
MONTH_END = 31
MONTHS_READ = 14
MATCHES_NEEDED = 0.2  # of runs on their days, less the days without a run
SEMI_MONTHLY_APART = 8
WEEKDAY_RUNS, ONE_WEEKDAY = 5, 0.8
LONGER, SHORTER = 1.6, 0.6  # than the usual days between runs
DAYS_PER_MONTH = 365.25 / 12
# Equally good candidates exist (15th and 16th in a year of Fridays); what companies really use goes first.
USUAL_DAYS = (31, 15, 1, 30, 25, 28, 20, 10, 5)
USUAL_FIRST = (*USUAL_DAYS, *(day for day in range(1, 32) if day not in USUAL_DAYS))


@dataclass(frozen=True, slots=True)
class PaySchedule:
    """Either a grid of `step_days` through `anchor_day`, or days of the month, or a weekday of the month.

    Attributes:
        step_days: 7, 14, 28 ..., or 0 for a schedule by the month.
        anchor_day: a nominal pay day on the grid.
        days_of_month: nominal days, 31 for the month's end.
        moved: BEFORE, AFTER or UNMOVED when the nominal day is closed.
        weekday: 0 = Monday; the month's last such day, or the `nth` from its start; -1 for the other schedules.
        nth: 1 .. 4, or -1 for the last.
    """

    step_days: int
    anchor_day: int
    days_of_month: tuple[int, ...]
    moved: str
    weekday: int = -1
    nth: int = 0

    @property
    def runs_per_month(self) -> float:
        """Average pay days in a month."""
        if self.weekday >= 0:
            return 1.0
        return DAYS_PER_MONTH / self.step_days if self.step_days else float(len(self.days_of_month))

    def days_after(self, *, day: int, until: int, calendar: BusinessCalendar) -> Ints:
        """The pay days in (day, until], ascending."""
        if self.step_days:
            behind = (day - self.anchor_day) // self.step_days - 1
            steps = np.arange(behind, (until - self.anchor_day) // self.step_days + 2)
            nominal = self.anchor_day + steps * self.step_days
        else:
            months = np.arange(int(month_of(np.array([day]))[0]) - 1, int(month_of(np.array([until]))[0]) + 2)
            nominal = (
                _weekdays_of_months(months, self.weekday, self.nth)
                if self.weekday >= 0
                else np.sort(
                    np.concatenate([add_months(month=months, day_of_month=dom) for dom in self.days_of_month])
                )
            )
        days = np.unique(_move(nominal, self.moved, calendar))
        return days[(days > day) & (days <= until)]


def since_last_change(days: Ints) -> int:
    """Index of the first of past pay days (ascending) that belongs to the present schedule.

    Who is paid once a month now and was paid twice before is not paid twice: three runs, two gaps of another
    length than before, are a new schedule. One gap is a run that was missed, or came early.
    """
    gaps = np.diff(days)
    if len(gaps) < 5:
        return 0
    usual = float(np.median(gaps[:-2][-13:]))
    for other in (gaps > LONGER * usual, gaps < SHORTER * usual):
        trailing = int(np.argmin(other[::-1])) if not other.all() else len(other)
        if trailing >= 2:
            return len(days) - 1 - trailing
    return 0


def read_schedule(*, days: Ints, calendar: BusinessCalendar) -> PaySchedule | None:
    """The schedule behind past pay days (ascending, distinct); None when they follow none."""
    if len(days) < 3:
        return None
    found = _most_likely(days[-30:], calendar)
    # Bursts of payments months apart have the gaps of a schedule, and follow none.
    return found if found is not None and _hits(found, days[-30:], calendar) >= MATCHES_NEEDED else None


def _most_likely(days: Ints, calendar: BusinessCalendar) -> PaySchedule | None:
    gaps = np.diff(days)
    median = float(np.median(gaps[-13:]))
    if median <= 9:
        return _grid(days, 7, calendar) if median >= 5 else None
    if median <= 18:
        by_grid, by_month = _grid(days, 14, calendar), _by_month(days, 2, calendar)
        return max((by_grid, by_month), key=lambda found: _hits(found, days, calendar))
    if median <= 24 or median > 38:
        return None
    by_grid, by_month = _grid(days, 28, calendar), _by_month(days, 1, calendar)
    by_weekday = _by_weekday(days, calendar)
    if by_weekday is not None and _hits(by_weekday, days, calendar) > _hits(by_month, days, calendar) + 0.1:
        by_month = by_weekday
    # A four-week grid and a month look alike over a few runs; a month is far more usual.
    return by_grid if _hits(by_grid, days, calendar) > _hits(by_month, days, calendar) + 0.25 else by_month


def _grid(days: Ints, step: int, calendar: BusinessCalendar) -> PaySchedule:
    """The grid that explains most of the runs: one of the last runs was on its nominal day."""
    # Anchors whole steps apart make the same grid.
    anchors = {int(anchor) % step: int(anchor) for anchor in days[-3:]}
    found = [
        PaySchedule(step_days=step, anchor_day=anchor, days_of_month=(), moved=moved)
        for anchor in sorted(anchors.values(), reverse=True)
        for moved in (BEFORE, AFTER)
    ]
    return max(found, key=lambda schedule: _hits(schedule, days, calendar))


def _by_month(days: Ints, runs: int, calendar: BusinessCalendar) -> PaySchedule:
    """The one or two days of the month that explain most of the runs, with the way they move."""
    last_month = int(month_of(days[-1:])[0])
    months = np.arange(max(int(month_of(days[:1])[0]), last_month - MONTHS_READ), last_month + 1)
    dom = np.array(USUAL_FIRST)
    nominal = add_months(month=months[None, :], day_of_month=dom[:, None])
    known = (nominal >= days[0] - 3) & (nominal <= days[-1] + 3)
    best: tuple[float, PaySchedule] | None = None
    for moved in (BEFORE, AFTER, UNMOVED):
        hit = np.isin(_move(nominal, moved, calendar), days) & known
        share = hit.sum(axis=1) / np.maximum(known.sum(axis=1), 1)
        first = int(np.argmax(share))
        chosen, score = [int(dom[first])], float(share[first])
        if runs == 2:
            apart = np.minimum(np.abs(dom - dom[first]), 31 - np.abs(dom - dom[first])) >= SEMI_MONTHLY_APART
            second = int(np.argmax(np.where(apart, share, -1.0)))
            chosen, score = [*chosen, int(dom[second])], score + float(share[second])
        if best is None or score > best[0] + 1e-9:
            best = score, PaySchedule(step_days=0, anchor_day=0, days_of_month=tuple(sorted(chosen)), moved=moved)
    assert best is not None
    return best[1]


def _by_weekday(days: Ints, calendar: BusinessCalendar) -> PaySchedule | None:
    """The last Friday of the month, or the third Wednesday: where nearly all runs are on one weekday."""
    counts = np.bincount(day_of_week(days), minlength=7)
    weekday = int(np.argmax(counts))
    if len(days) < WEEKDAY_RUNS or int(counts[weekday]) < ONE_WEEKDAY * len(days):
        return None
    found = [
        PaySchedule(step_days=0, anchor_day=0, days_of_month=(), moved=BEFORE, weekday=weekday, nth=nth)
        for nth in (-1, 1, 2, 3, 4)
    ]
    return max(found, key=lambda schedule: _hits(schedule, days, calendar))


def _weekdays_of_months(months: Ints, weekday: int, nth: int) -> Ints:
    if nth < 0:
        last = add_months(month=months, day_of_month=MONTH_END)
        return np.asarray(last - (day_of_week(last) - weekday) % 7)
    first = add_months(month=months, day_of_month=1)
    return np.asarray(first + (weekday - day_of_week(first)) % 7 + 7 * (nth - 1))


def _hits(schedule: PaySchedule, days: Ints, calendar: BusinessCalendar) -> float:
    """Share of the runs on a scheduled day, less the scheduled days without a run; one day off counts half."""
    expected = schedule.days_after(day=int(days[0]) - 1, until=int(days[-1]), calendar=calendar)
    if not len(expected):
        return -1.0
    distance = np.abs(expected[:, None] - days[None, :])
    found = np.where(distance.min(axis=0) == 0, 1.0, np.where(distance.min(axis=0) == 1, 0.5, 0.0))
    idle = float((distance.min(axis=1) > 3).mean())
    return float(found.mean()) - idle


def _move(nominal: Ints, moved: str, calendar: BusinessCalendar) -> Ints:
    if moved == BEFORE:
        return calendar.on_or_before(nominal)
    return calendar.on_or_after(nominal) if moved == AFTER else nominal
