"""Whether an account's events are all there, as far as its own habits tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

FRESH = "fresh"
LATE = "late"
SILENT = "silent"
EMPTY = "empty"

# The longest quiet that is usual for an account is judged by its last half year.
HABIT_DAYS = 183
LEAST_ACTIVE_DAYS = 5
# Weekends and a holiday are quiet everywhere.
LEAST_QUIET_DAYS = 4
# One account in ten breaks its own record for quiet without anything being wrong.
LATE_FACTOR = 1.5
SILENT_FACTOR = 3.0
DAYS_PER_WEEK = 7
GAP_FACTOR = 2.0


@dataclass(frozen=True, slots=True)
class Gap:
    """Days without an event that are many more than this account is used to: `[first, last]`, both quiet."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How an account usually speaks, and whether it does now.

    Attributes:
        state: fresh; late (quieter than usual); silent (so quiet that its feed is probably broken); empty.
        usual_quiet_days: between two days with events, nine times in ten.
        quiet_days: since the last day with events.
        gaps: earlier quiet of a week and more that was unusual for it, oldest first.
    """

    state: str
    last_day: date | None
    usual_quiet_days: int
    quiet_days: int
    gaps: tuple[Gap, ...]


def rhythm(*, active_days: Sequence[date], today: date) -> Rhythm:
    """Judge an account by the days it had events on (any order); days after `today` are ignored."""
    days = sorted({day for day in active_days if day <= today})
    if not days:
        return Rhythm(EMPTY, None, 0, 0, ())
    quiet = (today - days[-1]).days
    usual = _usual_quiet_days(days)
    if quiet > usual * SILENT_FACTOR:
        state = SILENT
    elif quiet > usual * LATE_FACTOR:
        state = LATE
    else:
        state = FRESH
    return Rhythm(state, days[-1], usual, quiet, _gaps(days, usual))


def _usual_quiet_days(days: Sequence[date]) -> int:
    """The ninth tenth of the steps between active days; a month until an account has habits."""
    recent = [day for day in days if (days[-1] - day).days <= HABIT_DAYS]
    if len(recent) < LEAST_ACTIVE_DAYS:
        return 31
    steps = sorted((later - earlier).days for earlier, later in pairwise(recent))
    return max(LEAST_QUIET_DAYS, steps[min(len(steps) - 1, len(steps) * 9 // 10)])


def _gaps(days: Sequence[date], usual: int) -> tuple[Gap, ...]:
    longest = max(DAYS_PER_WEEK, usual * GAP_FACTOR)
    return tuple(
        Gap(earlier + timedelta(days=1), later - timedelta(days=1))
        for earlier, later in pairwise(days)
        if (later - earlier).days - 1 > longest
    )
