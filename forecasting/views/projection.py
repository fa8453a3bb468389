"""A stored forecast as the page reads it: the JSON of design section 4, with dates and Decimals."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class RunoutDay:
    """A quantile of the day on which cash runs out. Beyond the horizon `day` is None and `days` the horizon."""

    days: int
    day: date | None

    @property
    def is_beyond_horizon(self) -> bool:
        return self.day is None


Runout = tuple[RunoutDay, RunoutDay, RunoutDay]  # p5, p50, p95


@dataclass(frozen=True, slots=True)
class Bands:
    """Closing balances on some future days, one tuple per quantile, all of the same length."""

    days: tuple[int, ...]
    p5: tuple[float, ...]
    p25: tuple[float, ...]
    p50: tuple[float, ...]
    p75: tuple[float, ...]
    p95: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class NewMoney:
    """A funding tranche, and when cash runs out with and without it."""

    label: str
    date: date
    amount: Decimal
    probability: float
    received: Runout
    not_received: Runout


@dataclass(frozen=True, slots=True)
class ComingEvent:
    """Something dated that moves cash, or a credit's end (no amount). Without a doubt, `probability` is None."""

    date: date
    kind: str
    label: str
    amount: Decimal | None
    probability: float | None


@dataclass(frozen=True, slots=True)
class Flow:
    """One reason why the balance moves, with its expected cash per day over the horizon, signed."""

    label: str
    per_day: Decimal


@dataclass(frozen=True, slots=True)
class Projection:
    """Everything the runway page shows of one forecast.

    Attributes:
        today: in the company's calendar; dates of this year are written without the year.
        as_of: the last day of which the forecast knows what happened.
        calibration: `calibrated` when the width of the intervals was judged by the company's own record.
        lowest: where the median balance is lowest, day and balance.
    """

    today: date
    as_of: date
    currency: str
    basis: str
    balance: Decimal
    horizon_days: int
    paths: int
    p5: RunoutDay
    p50: RunoutDay
    p95: RunoutDay
    determined: bool
    quantile_days: tuple[int | None, ...]
    zero_by: tuple[tuple[int, float], ...]
    bands: Bands
    burn_mean_per_day: Decimal
    burn_std_per_day: Decimal
    burn_window_days: int
    year_end: tuple[date, float] | None
    flows: tuple[Flow, ...]
    new_money: tuple[NewMoney, ...]
    next_events: tuple[ComingEvent, ...]
    marks: tuple[ComingEvent, ...]
    calibration: str = "uncalibrated"
    lowest: tuple[date, Decimal] | None = None

    def day(self, days: int) -> date:
        """The calendar day that is `days` after the as-of date."""
        return self.as_of + timedelta(days=days)


def projection_of(forecast: Mapping[str, Any], *, today: date) -> Projection:
    """Read a stored forecast on a day of the company's calendar.

    Raises:
        KeyError, ValueError: it is not the JSON of this engine's forecasts.
    """
    as_of = date.fromisoformat(forecast["as_of"])
    horizon = int(forecast["horizon_days"])
    bands = forecast["bands"]
    burn = forecast["burn"]
    p5, p50, p95 = _runout(forecast, as_of=as_of)
    tranches = tuple(_new_money(tranche, as_of=as_of) for tranche in forecast["tranches"])
    chances = {(tranche.label, tranche.amount): tranche.probability for tranche in tranches}
    year_end = forecast["lasts_past"]
    return Projection(
        today=today,
        as_of=as_of,
        currency=forecast["currency"],
        basis=forecast["basis"],
        balance=Decimal(forecast["balance"]),
        horizon_days=horizon,
        paths=int(forecast["paths"]),
        p5=p5,
        p50=p50,
        p95=p95,
        determined=bool(forecast["determined"]),
        quantile_days=tuple(forecast["quantile_days"]),
        zero_by=tuple(
            sorted(
                (int(days), float(share))
                for days, share in forecast["probability_of_zero_by"].items()
                if share is not None
            )
        ),
        bands=Bands(
            days=tuple(bands["days"]),
            **{name: tuple(float(value) for value in bands[name]) for name in ("p5", "p25", "p50", "p75", "p95")},
        ),
        burn_mean_per_day=Decimal(burn["mean_per_day"]),
        burn_std_per_day=Decimal(burn["std_per_day"]),
        burn_window_days=int(burn["window_days"]),
        year_end=(date.fromisoformat(year_end["date"]), float(year_end["probability"])) if year_end else None,
        flows=tuple(
            Flow(label=driver["label"], per_day=Decimal(driver["expected_per_day"]))
            for driver in forecast["drivers"]
        ),
        new_money=tranches,
        next_events=tuple(_coming(event, probability=event["probability"]) for event in forecast["next_events"]),
        marks=tuple(
            _coming(mark, probability=chances.get((mark["label"], Decimal(mark["amount"])), 1.0))
            for mark in forecast["marks"]
        ),
        # Runs from before there was a record do not say.
        calibration=forecast.get("calibration", {}).get("state", "uncalibrated"),
        lowest=_lowest(forecast.get("lowest")),
    )


def _lowest(point: Mapping[str, Any] | None) -> tuple[date, Decimal] | None:
    return None if point is None else (date.fromisoformat(point["date"]), Decimal(point["balance"]))


def _runout(source: Mapping[str, Any], *, as_of: date) -> Runout:
    p5, p50, p95 = (
        RunoutDay(
            days=int(source[f"{name}_days"]),
            day=None if source["beyond_horizon"][name] else as_of + timedelta(days=int(source[f"{name}_days"])),
        )
        for name in ("p5", "p50", "p95")
    )
    return p5, p50, p95


def _new_money(tranche: Mapping[str, Any], *, as_of: date) -> NewMoney:
    return NewMoney(
        label=tranche["label"],
        date=date.fromisoformat(tranche["date"]),
        amount=Decimal(tranche["amount"]),
        probability=float(tranche["probability"]),
        received=_runout(tranche["received"], as_of=as_of),
        not_received=_runout(tranche["not_received"], as_of=as_of),
    )


def _coming(event: Mapping[str, Any], *, probability: float) -> ComingEvent:
    return ComingEvent(
        date=date.fromisoformat(event["date"]),
        kind=event["kind"],
        label=event["label"],
        amount=Decimal(event["amount"]) or None,
        probability=None if probability >= 1.0 else float(probability),
    )
