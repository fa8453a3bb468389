"""Everything the accuracy page shows, as plain values for the template."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from forecasting.closing_balances import bank_balances, free_balances
from forecasting.fit.history import MissingInputs
from forecasting.scores import SCORED_DAYS
from forecasting.selectors.forecasts import DayBalance
from forecasting.selectors.track_record import (
    HorizonRecord,
    PastForecast,
    TrackRecord,
    past_forecasts,
    track_record,
)
from forecasting.services.actuals import read_since
from forecasting.services.replay import LONGEST_JOURNAL_TO_WAIT_FOR, NotKnown, Replay, replay
from forecasting.views.board import Sign, calibration_sign
from forecasting.views.calibration_words import calibration_words
from forecasting.views.figure import PastBalances
from forecasting.views.headline import NAMES, Headline, headline
from forecasting.views.projection import Projection, projection_of
from forecasting.views.record_figure import band_of, record_chart, replay_chart
from forecasting.views.tiles import Tile
from ledger.domain.company import CompanyRef
from ledger.templatetags.amounts import day_date, days, money, money_text, share

DEFAULTS = {"basis": "bank", "ahead": "30", "on": ""}


@dataclass(frozen=True, slots=True)
class AccuracyAddress:
    """What the query string asks for."""

    basis: str
    ahead: int
    on: date | None

    def url(self, **changes: object) -> str:
        """What is the default anyway is left out of the address."""
        wanted = {"basis": self.basis, "ahead": self.ahead, "on": self.on or "", **changes}
        query = urlencode({key: value for key, value in wanted.items() if str(value) != DEFAULTS[key]})
        return f"{reverse('accuracy')}?{query}" if query else reverse("accuracy")


@dataclass(frozen=True, slots=True)
class View:
    label: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class SinceThen:
    """A day that was foretold by the forecast of a replayed day, and what it was."""

    ahead: int
    day: date
    p5: int
    p50: int
    p95: int
    actual: float
    is_inside: bool


@dataclass(frozen=True, slots=True)
class ReplayBoard:
    """What was known on a day.

    Attributes:
        sameness: whether it is what was published, as a sign.
        since: what came of it, for the days of SCORED_DAYS that are known.
    """

    day: date
    headline: Headline
    projection: Projection
    known: str
    sameness: Sign
    figure: dict[str, Any]
    figure_summary: str
    since: tuple[SinceThen, ...]
    first_compared: date


@dataclass(frozen=True, slots=True)
class AccuracyPage:
    """See the template `forecasting/accuracy_live.html`, which shows them in this order.

    Attributes:
        lead: the answer in one sentence.
        rows: the newest first.
        replay_problem: why the day that was asked for cannot be shown.
    """

    address: AccuracyAddress
    bases: tuple[View, ...]
    horizons: tuple[View, ...]
    record: TrackRecord
    sign: Sign
    lead: str
    calibration: tuple[str, ...]
    chosen: HorizonRecord | None
    tiles: tuple[Tile, ...]
    rows: tuple[PastForecast, ...]
    figure: dict[str, Any] | None
    figure_summary: str
    replay: ReplayBoard | None
    replay_problem: str
    latest_day: date
    all_url: str


def accuracy_page(*, company: CompanyRef, address: AccuracyAddress, now: datetime) -> AccuracyPage:
    """Gather the page.

    Args:
        now: in the company's time zone.
    """
    record = track_record(company_id=company.id, basis=address.basis)
    rows = past_forecasts(company_id=company.id, basis=address.basis, days_ahead=address.ahead)
    chosen = next((each for each in record.horizons if each.days_ahead == address.ahead), None)
    board, problem = _replay(company, address, now=now) if address.on else (None, "")
    return AccuracyPage(
        address=address,
        bases=tuple(
            View(label=name, url=address.url(basis=basis), is_current=basis == address.basis)
            for basis, name in NAMES.items()
        ),
        horizons=tuple(
            View(label=days(ahead), url=address.url(ahead=ahead), is_current=ahead == address.ahead)
            for ahead in SCORED_DAYS
        ),
        record=record,
        sign=calibration_sign(record.calibration.state if record.calibration else "uncalibrated"),
        lead=_lead(chosen, record),
        calibration=calibration_words(record.calibration),
        chosen=chosen,
        tiles=_tiles(chosen, currency=company.base_currency) if chosen else (),
        rows=rows,
        figure=record_chart(rows[::-1], currency=company.base_currency) if rows else None,
        figure_summary=_summary(rows, currency=company.base_currency, today=now.date()) if rows else "",
        replay=board,
        replay_problem=problem,
        latest_day=now.date(),
        all_url=address.url(on=""),
    )


def _lead(chosen: HorizonRecord | None, record: TrackRecord) -> str:
    if chosen is None:
        return ""
    inside = round(chosen.coverage * chosen.outcomes)
    lead = (
        f"Of {chosen.outcomes} balances foretold {days(chosen.days_ahead)} ahead, {inside} came in between the"
        f" two ends of the 90 % interval ({share(chosen.coverage)})."
    )
    # What is looked back has the width of the model alone; who reads a poor share is told what came of it.
    calibration = record.calibration
    if record.published or calibration is None or calibration.state != "calibrated" or calibration.dispersion <= 1:
        return lead
    return (
        f"{lead} They were drawn as wide as the model alone would; because of them, forecasts are now"
        f" {share(calibration.dispersion - 1)} wider."
    )


def _tiles(chosen: HorizonRecord, *, currency: str) -> tuple[Tile, ...]:
    return (
        Tile(
            label="Inside the 90 % interval",
            figure=share(chosen.coverage),
            aside=f"{share(chosen.below_p5)} below, {share(chosen.above_p95)} above",
            term="coverage",
        ),
        Tile(
            label="Typical miss of the middle",
            figure=money(round(chosen.median_error), currency),
            aside=f"linear: {money_text(chosen.linear_median_error, currency)}",
            term="linear",
        ),
        Tile(label="Typical width", figure=money(round(chosen.width), currency), aside="of the 90 % interval"),
        Tile(
            label="Score, less is better",
            figure=money(round(chosen.score), currency),
            aside=f"linear: {money_text(chosen.linear_score, currency)}",
            term="score",
        ),
    )


def _summary(rows: Sequence[PastForecast], *, currency: str, today: date) -> str:
    newest = rows[0]
    return (
        f"{len(rows)} balances from {day_date(rows[-1].day, today)} to {day_date(newest.day, today)}. The newest,"
        f" {day_date(newest.day, today)}: foretold {money_text(newest.p50, currency)}, between"
        f" {money_text(newest.p5, currency)} and {money_text(newest.p95, currency)}; it was"
        f" {money_text(newest.actual, currency)}."
    )


def _replay(company: CompanyRef, address: AccuracyAddress, *, now: datetime) -> tuple[ReplayBoard | None, str]:
    assert address.on is not None
    try:
        made = replay(
            company=company,
            day=address.on,
            basis=address.basis,
            now=now,
            longest_journal=LONGEST_JOURNAL_TO_WAIT_FOR,
        )
    except NotKnown as error:
        return None, f"This day cannot be replayed: {error}."
    except MissingInputs as missing:
        return None, f"There was no forecast on that day: {missing}."
    projection = projection_of(made.forecast.to_json(), today=address.on)
    since = read_since(company=company, as_of=projection.as_of, basis=address.basis, now=now)
    return (
        ReplayBoard(
            day=made.day,
            headline=headline(projection),
            projection=projection,
            known=_known(made),
            sameness=_sameness(made),
            figure=replay_chart(projection, past=_past(made), since=since),
            figure_summary=_replay_summary(projection, since),
            since=_since_then(projection, since),
            first_compared=projection.day(SCORED_DAYS[0]),
        ),
        "",
    )


def _known(made: Replay) -> str:
    plan = f"version {made.plan_version} of the plan" if made.plan_version else "no plan"
    return f"{made.position:,} events and {plan} were known by the end of that day."


def _sameness(made: Replay) -> Sign:
    if made.published is None:
        return Sign("unknown", "nothing had been published by then")
    if made.differs:
        return Sign("warn", f"not what was published then: {made.differs}")
    return Sign("good", "exactly what was published then")


def _past(made: Replay) -> PastBalances:
    history = made.gathered.history
    bank = bank_balances(history)
    ours = (
        bank if made.forecast.basis == "bank" else free_balances(history, bank=bank, opening=made.forecast.balance)
    )
    return PastBalances(first_day=ours.first_day, balances=tuple(ours.balances.tolist()))


def _since_then(projection: Projection, since: Sequence[DayBalance]) -> tuple[SinceThen, ...]:
    known = {row.day: float(row.balance) for row in since}
    found = []
    for ahead in SCORED_DAYS:
        day = projection.as_of + timedelta(days=ahead)
        band = band_of(projection, day)
        if band is None or day not in known:
            continue
        p5, p50, p95 = band
        found.append(
            SinceThen(
                ahead=ahead,
                day=day,
                p5=round(p5),
                p50=round(p50),
                p95=round(p95),
                actual=known[day],
                is_inside=p5 <= known[day] <= p95,
            )
        )
    return tuple(found)


def _replay_summary(projection: Projection, since: Sequence[DayBalance]) -> str:
    start = (
        f"On {day_date(projection.as_of)} the balance was {money_text(projection.balance, projection.currency)}."
    )
    if not since:
        return f"{start} Nothing is known of the days since."
    last = since[-1]
    ended = f" On {day_date(last.day)} it was {money_text(last.balance, projection.currency)}."
    band = band_of(projection, last.day)
    if band is None:
        return start + ended
    low, _, high = (money_text(value, projection.currency) for value in band)
    return f"{start}{ended} The forecast had it between {low} and {high}, 90 % sure."
