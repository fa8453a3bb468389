"""What a look at the books and a plan comes to, in days and dates, for the pages of the plan."""

from dataclasses import dataclass
from datetime import date, timedelta

from forecasting.scenarios.change import InvalidScenario
from forecasting.scenarios.comparison import Case
from forecasting.services.plan_look import Sight


@dataclass(frozen=True, slots=True)
class SeenRunway:
    """A simulated runway and the last day that it knows.

    Attributes:
        counts: days of p5, p50 and p95 from `as_of`.
        ends: the days on which they end; None beyond the horizon.
    """

    as_of: date
    case: Case

    @property
    def counts(self) -> tuple[int, int, int]:
        runway = self.case.runway
        return runway.p5_days, runway.p50_days, runway.p95_days

    @property
    def ends(self) -> tuple[date | None, ...]:
        beyond = self.case.runway.beyond_horizon
        return tuple(
            None if is_beyond else self.as_of + timedelta(days=count)
            for count, is_beyond in zip(self.counts, beyond, strict=True)
        )


def seen_runway(sight: Sight) -> tuple[SeenRunway | None, str]:
    """The runway that is seen, or None and a sentence that says why there is none."""
    try:
        case = sight.case()
    except InvalidScenario as beyond:
        return None, f"{beyond.errors[0].message}."
    if sight.known is None or case is None:
        return None, sight.refusal
    return SeenRunway(sight.known.gathered.history.as_of, case), ""
