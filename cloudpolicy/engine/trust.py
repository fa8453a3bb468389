"""Nothing acts on a bad number: which forecasts a policy may act on, and what is only worth a warning.

Read-only, because acting would be acting on a wrong figure: no forecast, a p5 that is no sensible number, a
forecast that is old or lags behind the journal, a feed that has gone silent, a p5 whose coverage is off or was
never measured (unless the policy says that it may be acted on), a journal that does not fit its chain or was not
held against it for long, an account that is silent or that does not meet a stated balance.

A warning only, because the figure may well be right: a journal that nobody has verified yet, an account that is
merely late.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from cloudpolicy.engine.policy import Limits
from cloudpolicy.engine.reason import Reason
from cloudpolicy.engine.runway import AccountDoubt, NoRunway, Runway

# Clocks of two machines differ; a forecast from further ahead than this is from the future.
CLOCK_SKEW = timedelta(minutes=5)
IDEAL_SHARE_BELOW_P5 = 0.05
# The verifier comes by at least twice a day. One that has not been heard of for three days is broken itself.
CHAIN_CHECK_AGE = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class Trust:
    """What is left of a forecast after judging it.

    Attributes:
        p5_days: the figure, or None when there is none that could mean anything.
        against: why nothing may act on it; empty means that it may.
        warnings: what a reader should know although it stops nothing.
    """

    p5_days: int | float | None
    against: tuple[Reason, ...]
    warnings: tuple[Reason, ...] = ()


def judge(*, runway: Runway | NoRunway, limits: Limits, now: datetime) -> Trust:
    """Judge a forecast. Never raises, whatever was published: a doubt is a reason, not an error."""
    if isinstance(runway, NoRunway):
        text = f"no forecast is published: {runway.because}" if runway.because else "no forecast is published"
        return Trust(None, (Reason("no_forecast", text),))
    p5_days, problem = _sensible(runway)
    against = [problem] if problem else []
    against += _staleness(runway, limits, now)
    warnings: list[Reason] = []
    if runway.share_below_p5 is None:
        text = "p5 is uncalibrated: its coverage has not been measured on past forecasts yet"
        if limits.act_uncalibrated:
            warnings.append(Reason("coverage_unknown", text))
        else:
            against.append(Reason("uncalibrated", text))
    elif not _calibrated(runway.share_below_p5, limits):
        measured = f"{runway.share_below_p5:.0%} of past truths came in below p5, where 5 % should"
        against.append(Reason("uncalibrated", measured))
    for of_books in (_chain(runway, now), _accounts(runway.doubts)):
        against += of_books.against
        warnings += of_books.warnings
    return Trust(p5_days, tuple(against), tuple(warnings))


@dataclass(frozen=True, slots=True)
class _OfBooks:
    against: list[Reason]
    warnings: list[Reason]


def _chain(runway: Runway, now: datetime) -> _OfBooks:
    chain = runway.chain
    if chain is None:
        return _OfBooks([], [Reason("chain_unverified", "the journal has not been held against its chain yet")])
    if chain.broken:
        return _OfBooks([Reason("chain_broken", f"the journal does not fit its chain: {chain.broken}")], [])
    age = now - chain.checked_at
    if age > CHAIN_CHECK_AGE:
        text = f"the journal was last held against its chain {_hours(age)} hours ago"
        return _OfBooks([Reason("chain_check_stale", f"{text}, more than {_hours(CHAIN_CHECK_AGE)}")], [])
    return _OfBooks([], [])


def _accounts(doubts: tuple[AccountDoubt, ...]) -> _OfBooks:
    found = _OfBooks([], [])
    for doubt in doubts:
        name = doubt.account
        if doubt.broken_on is not None:
            text = f"{name} is unreconciled since {doubt.broken_on}: it is off by {doubt.off_by}"
            found.against.append(Reason("account_unreconciled", text))
        if doubt.is_silent:
            text = f"{name} is silent: no event for {doubt.quiet_days} days"
            found.against.append(Reason("account_silent", text))
        found.against.extend(
            Reason("account_silent", f"the feed {feed} has fallen silent on {name}") for feed in doubt.silent_feeds
        )
        if doubt.is_late:
            text = f"{name} is late: no event for {doubt.quiet_days} days, which is unusual"
            found.warnings.append(Reason("account_late", text))
    return found


def _sensible(runway: Runway) -> tuple[int | float | None, Reason | None]:
    p5 = runway.p5_days
    if p5 is None:
        return None, Reason("p5_missing", "the forecast has no p5")
    if isinstance(p5, bool) or not isinstance(p5, int | float):
        return None, Reason("p5_not_a_number", f"p5 is not a number of days: {str(p5)[:40]!r}")
    if isinstance(p5, float) and not math.isfinite(p5):
        return None, Reason("p5_not_a_number", f"p5 is {p5}, not a number of days")
    if p5 < 0:
        return None, Reason("p5_negative", f"p5 is {_short(p5)} days, and runway is never negative")
    if p5 > runway.horizon_days:
        return None, Reason("p5_beyond", f"p5 is {_short(p5)} days, beyond the horizon of {runway.horizon_days}")
    return p5, None


def _staleness(runway: Runway, limits: Limits, now: datetime) -> list[Reason]:
    age = now - runway.published_at
    silence = runway.today - runway.as_of
    reasons = []
    if age < -CLOCK_SKEW:
        reasons.append(Reason("forecast_stale", "the forecast is dated in the future"))
    elif age > limits.forecast_age:
        reasons.append(
            Reason(
                "forecast_stale",
                f"the forecast is {_hours(age)} hours old, more than {_hours(limits.forecast_age)}",
            )
        )
    if runway.unseen_events > 0 and age > limits.catch_up:
        reasons.append(
            Reason("forecast_behind", f"{runway.unseen_events} recorded events are missing from the forecast")
        )
    if silence > limits.feed_silence:
        reasons.append(
            Reason(
                "feed_silent",
                f"the feed is silent: the last day heard of is {runway.as_of}, {silence.days} days ago",
            )
        )
    return reasons


def _calibrated(share_below_p5: float, limits: Limits) -> bool:
    # A NaN compares false, so it counts as uncalibrated.
    return abs(share_below_p5 - IDEAL_SHARE_BELOW_P5) <= limits.coverage_tolerance


def _hours(age: timedelta) -> int:
    return int(age.total_seconds() // 3600)


def _short(days: float) -> str:
    return str(days) if abs(days) < 1_000_000 else f"{days:.3g}"
