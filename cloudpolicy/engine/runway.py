"""What the policy is told about the runway: one published forecast and how far it can be trusted."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Runway:
    """The newest published forecast of a company.

    Attributes:
        forecast_run: number of the run.
        p5_days: the gate of every decision, never the mean. Whatever was published stands here, good or not.
        horizon_days: a p5 of this value means "not within the horizon".
        published_at: aware UTC.
        as_of: last day the forecast knows, in the company's calendar.
        today: the company's present day.
        unseen_events: events recorded since that the forecast has not seen.
        share_below_p5: measured on past forecasts: how often the truth came in below p5 (ideally 0.05); None when
            nobody has measured it yet.
    """

    forecast_run: int
    p5_days: object
    horizon_days: int
    published_at: datetime
    as_of: date
    today: date
    unseen_events: int = 0
    share_below_p5: float | None = None


@dataclass(frozen=True, slots=True)
class NoRunway:
    """No forecast is published; `because` names what is missing for one, where that is known."""

    because: str = ""
