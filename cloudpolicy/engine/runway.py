"""What the policy is told about the runway: one published forecast, and what is known of the books behind it."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class ChainCheck:
    """What the verifier last found. `broken` is a sentence, empty while the chain holds."""

    checked_at: datetime
    broken: str = ""


@dataclass(frozen=True, slots=True)
class AccountDoubt:
    """A cash account whose events may not all be there.

    Attributes:
        quiet_days: since its last event.
        is_silent: so quiet that its feed is probably broken.
        is_late: quieter than usual, and not silent yet.
        silent_feeds: sources that have fallen silent while others still speak of the account.
        broken_on: day of the first stated balance that the journal does not meet; None while all are met.
        off_by: how far it is off on that day, with its currency; empty while all are met.
    """

    account: str
    quiet_days: int = 0
    is_silent: bool = False
    is_late: bool = False
    silent_feeds: tuple[str, ...] = ()
    broken_on: date | None = None
    off_by: str = ""


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
        chain: None when nobody has verified the journal yet.
        timezone: of the company; its quiet hours are told in it.
        doubts: about the cash accounts that the balance is made of; an account that is in order is not among them.
    """

    forecast_run: int
    p5_days: object
    horizon_days: int
    published_at: datetime
    as_of: date
    today: date
    unseen_events: int = 0
    share_below_p5: float | None = None
    chain: ChainCheck | None = None
    doubts: tuple[AccountDoubt, ...] = ()
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class NoRunway:
    """No forecast is published; `because` names what is missing for one, where that is known."""

    because: str = ""
