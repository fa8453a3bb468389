"""Everything the runway page shows of a company with a forecast, as plain values for the template."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from forecasting.views.explained import Explained
from forecasting.views.figure import RANGES, PastBalances, fan_chart
from forecasting.views.figure_words import FigureRow, figure_rows, summary
from forecasting.views.headline import Headline, headline, span
from forecasting.views.projection import ComingEvent, Flow, NewMoney, Projection, RunoutDay
from forecasting.views.tiles import Tile, tiles
from ledger.templatetags.amounts import day_date, days, instant, odds

FRESH_DAYS = 7
SHOWN_EVENTS = 8
SHOWN_FLOWS = 10


@dataclass(frozen=True, slots=True)
class Sign:
    """One statement of the health strip. State: good, warn, unknown or busy; the text says it without colour.

    Attributes:
        term: the note that explains it.
        url: where it is said at length.
    """

    state: str
    text: str
    term: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Survival:
    """The odds that cash lasts a number of days, up to a day."""

    days: int
    day: date
    share: float
    text: str


@dataclass(frozen=True, slots=True)
class TrancheCase:
    """When cash runs out if a tranche comes, or if it does not."""

    title: str
    figure: str
    aside: str


@dataclass(frozen=True, slots=True)
class TrancheCard:
    money: NewMoney
    cases: tuple[TrancheCase, ...]


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """What an earlier forecast said about the same basis."""

    published_day: date
    p50: RunoutDay


@dataclass(frozen=True, slots=True)
class Change:
    """Then and now, and how far the day has moved; '' when one of the two is beyond the horizon."""

    since: date
    then: str
    then_date: str
    now: str
    now_date: str
    difference: str


@dataclass(frozen=True, slots=True)
class RunwayBoard:
    """See the template `forecasting/runway_board.html`, which shows them in this order."""

    projection: Projection
    headline: Headline
    stale_days: int
    health: tuple[Sign, ...]
    figure: dict[str, Any]
    figure_rows: tuple[FigureRow, ...]
    figure_summary: str
    tiles: tuple[Tile, ...]
    change: Change | None
    events: tuple[ComingEvent, ...]
    tranches: tuple[TrancheCard, ...]
    survivals: tuple[Survival, ...]
    flows: tuple[Flow, ...]
    explained: Explained | None

    @property
    def shows_lowest(self) -> bool:
        """Where the middle of all futures runs out, that day is the message, and it is lowest at the very end."""
        return self.projection.p50.is_beyond_horizon and self.projection.lowest is not None


def runway_board(
    *,
    projection: Projection,
    past: PastBalances,
    other_balance: Decimal | None,
    earlier: EarlierRun | None,
    view_range: str,
    published_at: datetime,
    is_updating: bool,
    explained: Explained | None = None,
) -> RunwayBoard:
    """Arrange a forecast for the page.

    Args:
        other_balance: balance of the other basis, None when unknown.
        published_at: in the company's time zone.
        is_updating: the journal is ahead of this forecast.
        explained: what is said about it, or about the one before; None before the first explanation.
    """
    future_days = min(RANGES[view_range], projection.horizon_days)
    stale_days = max(0, (projection.today - projection.as_of).days)
    return RunwayBoard(
        projection=projection,
        headline=headline(projection),
        stale_days=stale_days if stale_days > FRESH_DAYS else 0,
        health=_health(projection, published_at=published_at, is_updating=is_updating, explained=explained),
        figure=fan_chart(projection=projection, past=past, future_days=future_days),
        figure_rows=figure_rows(projection=projection, future_days=future_days),
        figure_summary=summary(projection=projection, past=past, future_days=future_days),
        tiles=tiles(projection, other_balance=other_balance),
        change=_change(projection, earlier) if earlier is not None else None,
        events=projection.next_events[:SHOWN_EVENTS],
        tranches=tuple(_tranche(money) for money in projection.new_money),
        survivals=tuple(
            Survival(days=count, day=projection.day(count), share=1 - zero, text=odds(1 - zero))
            for count, zero in projection.zero_by
        ),
        flows=_largest(projection.flows),
        explained=explained,
    )


def _largest(flows: tuple[Flow, ...]) -> tuple[Flow, ...]:
    """The reasons that move a whole unit of money a day, money out first, the larger before the smaller."""
    told = [flow for flow in flows if abs(flow.per_day) >= 1]
    return tuple(sorted(told, key=lambda flow: flow.per_day)[:SHOWN_FLOWS])


def _health(
    projection: Projection, *, published_at: datetime, is_updating: bool, explained: Explained | None
) -> tuple[Sign, ...]:
    is_fresh = (projection.today - projection.as_of).days <= FRESH_DAYS
    return (
        Sign("good" if is_fresh else "warn", f"data to {day_date(projection.as_of, projection.today)}"),
        Sign("busy", "updating: new events have arrived")
        if is_updating
        else Sign("good", f"calculated {_time(published_at, today=projection.today)}"),
        calibration_sign(projection.calibration),
        *_data_sign(explained),
    )


def calibration_sign(state: str) -> Sign:
    """Whether the width of forecasts was judged by the company's own record."""
    if state == "calibrated":
        return Sign("good", "calibrated on its own past", term="calibration")
    return Sign("unknown", "not yet calibrated", term="calibration")


def _data_sign(explained: Explained | None) -> tuple[Sign, ...]:
    if explained is None:
        return ()
    count = len(explained.doubts) + explained.more_doubts
    if not count:
        return (Sign("good", "data plausible"),)
    return (Sign("warn", f"{count} doubt{'s' if count > 1 else ''} about the data", url="#doubts"),)


def _time(moment: datetime, *, today: date) -> str:
    """The time alone on the day itself."""
    return f"{moment:%H:%M} {moment.tzname()}" if moment.date() == today else instant(moment)


def _tranche(money: NewMoney) -> TrancheCard:
    cases = (("if it comes", money.received), ("if it does not", money.not_received))
    return TrancheCard(
        money=money,
        cases=tuple(
            TrancheCase(title=title, figure=span(p50), aside=_sure(p5, p95)) for title, (p5, p50, p95) in cases
        ),
    )


def _sure(p5: RunoutDay, p95: RunoutDay) -> str:
    if p5.is_beyond_horizon:
        return f"95 % sure: {span(p5)}"
    return f"90 % sure: {p5.days} to {span(p95)}"


def _change(projection: Projection, earlier: EarlierRun) -> Change:
    """The median then and now, until causes are known."""
    now = projection.p50
    difference = ""
    if now.day is not None and earlier.p50.day is not None:
        moved_days = (now.day - earlier.p50.day).days
        difference = (
            f"{days(abs(moved_days))} {'later' if moved_days > 0 else 'sooner'}" if moved_days else "unmoved"
        )
    return Change(
        since=earlier.published_day,
        then=span(earlier.p50),
        then_date=_runs_out(earlier.p50, reference=projection.today),
        now=span(now),
        now_date=_runs_out(now, reference=projection.today),
        difference=difference,
    )


def _runs_out(quantile: RunoutDay, *, reference: date) -> str:
    return day_date(quantile.day, reference) if quantile.day else "beyond the year"
