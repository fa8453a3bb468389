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
    received: tuple[RunoutDay, RunoutDay, RunoutDay] | None
    not_received: tuple[RunoutDay, RunoutDay, RunoutDay] | None


@dataclass(frozen=True, slots=True)
class ComingEvent:
    """Something dated that moves cash or changes what bills cost. Without doubt, `probability` is None."""

    date: date
    kind: str
    label: str
    amount: Decimal | None
    probability: float | None


@dataclass(frozen=True, slots=True)
class Projection:
    """Everything the runway page shows of one forecast."""

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
    new_money: tuple[NewMoney, ...]
    next_events: tuple[ComingEvent, ...]
    marks: tuple[ComingEvent, ...]

    def day(self, days: int) -> date:
        """The calendar day that is `days` after the as-of date."""
        return self.as_of + timedelta(days=days)


def projection_of(forecast: Mapping[str, Any]) -> Projection:
    """Read a stored forecast.

    Raises:
        KeyError, ValueError: it is not the JSON of this engine's forecasts.
    """
    as_of = date.fromisoformat(forecast["as_of"])
    horizon = int(forecast["horizon_days"])
    bands = forecast["bands"]
    burn = forecast["burn"]
    p5, p50, p95 = _quantiles(forecast)
    return Projection(
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
            sorted((int(days), float(share)) for days, share in forecast["probability_of_zero_by"].items())
        ),
        bands=Bands(
            days=tuple(bands["days"]),
            **{name: tuple(float(value) for value in bands[name]) for name in ("p5", "p25", "p50", "p75", "p95")},
        ),
        burn_mean_per_day=Decimal(burn["mean_per_day"]),
        burn_std_per_day=Decimal(burn["std_per_day"]),
        new_money=tuple(_new_money(tranche) for tranche in forecast.get("tranches", ())),
        next_events=tuple(_coming(event) for event in forecast.get("next_events", ())),
        marks=tuple(_coming(mark) for mark in forecast.get("marks", ())),
    )


def _quantiles(source: Mapping[str, Any]) -> tuple[RunoutDay, RunoutDay, RunoutDay]:
    return (_quantile(source, "p5"), _quantile(source, "p50"), _quantile(source, "p95"))


def _quantile(source: Mapping[str, Any], name: str) -> RunoutDay:
    text = source[f"{name}_date"]
    return RunoutDay(days=int(source[f"{name}_days"]), day=date.fromisoformat(text) if text else None)


def _new_money(tranche: Mapping[str, Any]) -> NewMoney:
    return NewMoney(
        label=tranche["label"],
        date=date.fromisoformat(tranche["date"]),
        amount=Decimal(tranche["amount"]),
        probability=float(tranche["probability"]),
        received=_quantiles(tranche["received"]) if tranche.get("received") else None,
        not_received=_quantiles(tranche["not_received"]) if tranche.get("not_received") else None,
    )


def _coming(event: Mapping[str, Any]) -> ComingEvent:
    amount, probability = event.get("amount"), event.get("probability")
    return ComingEvent(
        date=date.fromisoformat(event["date"]),
        kind=event["kind"],
        label=event["label"],
        amount=None if amount is None else Decimal(amount),
        probability=None if probability is None else float(probability),
    )
