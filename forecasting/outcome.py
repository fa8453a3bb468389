"""A forecast as it is published: figures in days, dates and money, ready for JSON."""

from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal
from typing import Literal

CENT = Decimal("0.01")
_ANY_FLOAT = Context(prec=400)  # no finite float has more digits, its cents included
MONEY_DECIMALS = 2
PROBABILITY_DECIMALS = 4


@dataclass(frozen=True, slots=True)
class Bands:
    """Balance per day of the horizon: 90 % between p5 and p95, half between p25 and p75."""

    days: tuple[int, ...]
    p5: tuple[float, ...]
    p25: tuple[float, ...]
    p50: tuple[float, ...]
    p75: tuple[float, ...]
    p95: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Burn:
    """Net outflow per day before funding over `window_days`, and the sd of a day around its expectation."""

    mean_per_day: Decimal
    std_per_day: Decimal
    window_days: int


@dataclass(frozen=True, slots=True)
class ForecastDriver:
    """One reason why the balance moves, with its planned mean flow per day over the horizon, signed."""

    name: str
    label: str
    expected_per_day: Decimal


@dataclass(frozen=True, slots=True)
class RunwayCase:
    """A runway under a condition. Days beyond the horizon are the horizon; the flag says so."""

    p5_days: int
    p50_days: int
    p95_days: int
    beyond_horizon: tuple[bool, bool, bool]


def is_least(one: RunwayCase, other: RunwayCase) -> tuple[bool, bool, bool]:
    """Of p5, p50 and p95: whether the two lie at least so many days apart as their days say.

    One of them lies beyond the horizon then. Where both do, nothing is known of their difference, which reads 0.
    """
    p5, p50, p95 = (a != b for a, b in zip(one.beyond_horizon, other.beyond_horizon, strict=True))
    return p5, p50, p95


@dataclass(frozen=True, slots=True)
class TrancheOutlook:
    """What a tranche decides: the runway with it and without it."""

    label: str
    date: date
    amount: Decimal
    probability: float
    received: RunwayCase
    not_received: RunwayCase


@dataclass(frozen=True, slots=True)
class UpcomingEvent:
    """A dated movement ahead, or the end of a credit (amount 0)."""

    day: int
    date: date
    kind: str
    label: str
    amount: Decimal
    probability: float


@dataclass(frozen=True, slots=True)
class ChartMark:
    """A dated line on the fan chart."""

    day: int
    date: date
    kind: str
    label: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class LowestPoint:
    """Where the median balance is lowest within the horizon."""

    day: int
    date: date
    balance: Decimal


@dataclass(frozen=True, slots=True)
class LastsPast:
    """The probability that cash lasts past a year's end; None where the horizon ends before one."""

    date: date
    probability: float


# Each part of the model states its own error, and together they are a twentieth wider than what forecasts miss by:
# measured on companies of four hands (ADR 0214).
SPREAD_USED = 0.95


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a company's own record says about the width of its forecasts.

    Attributes:
        state: `uncalibrated` until there is evidence; the dispersion is then 1.
        dispersion: by how much the model's own spread is stretched (above 1) or narrowed (below).
        windows: how many windows of time the evidence is worth, overlapping ones not counted twice.
    """

    state: Literal["uncalibrated", "calibrated"] = "uncalibrated"
    dispersion: float = 1.0
    windows: float = 0.0

    @property
    def is_calibrated(self) -> bool:
        return self.state == "calibrated"

    @property
    def stretch(self) -> float:
        """By how much the spread of the simulated paths is stretched."""
        return SPREAD_USED * self.dispersion


UNCALIBRATED = Calibration()


@dataclass(frozen=True, slots=True)
class Forecast:
    """One forecast of one company on one basis.

    Attributes:
        balance: on the basis, at the end of `as_of`.
        p5_days, p50_days, p95_days: quantiles of the runway, the horizon when beyond it.
        p5_date, p50_date, p95_date: None beyond the horizon.
        determined: whether p50 may be the message: p95 within the horizon, p95 - p5 at most half of p50.
        quantile_days: 99 values for 1 % .. 99 %, None beyond the horizon.
        probability_of_zero_by: per day 30, 60, 90, 180, 365; None beyond the horizon.
        input_digest: sha256 over everything that decides the figures.
        calibration: on what the width of the intervals rests.
    """

    company: str
    as_of: date
    currency: str
    basis: str
    balance: Decimal
    horizon_days: int
    paths: int
    seed: int
    p5_days: int
    p50_days: int
    p95_days: int
    p5_date: date | None
    p50_date: date | None
    p95_date: date | None
    beyond_horizon: dict[str, bool]
    determined: bool
    quantile_days: tuple[int | None, ...]
    probability_of_zero_by: dict[int, float | None]
    bands: Bands
    burn: Burn
    drivers: tuple[ForecastDriver, ...]
    engine_version: str
    input_digest: str
    lowest: LowestPoint
    lasts_past: LastsPast | None
    tranches: tuple[TrancheOutlook, ...]
    next_events: tuple[UpcomingEvent, ...]
    marks: tuple[ChartMark, ...]
    calibration: Calibration = UNCALIBRATED

    def to_json(self) -> dict[str, object]:
        """Plain values in a stable order: money as text, dates as ISO 8601, shares as numbers."""
        return {
            "company": self.company,
            "as_of": self.as_of.isoformat(),
            "currency": self.currency,
            "basis": self.basis,
            "balance": str(self.balance),
            "horizon_days": self.horizon_days,
            "paths": self.paths,
            "seed": self.seed,
            "p5_days": self.p5_days,
            "p50_days": self.p50_days,
            "p95_days": self.p95_days,
            "p5_date": _iso(self.p5_date),
            "p50_date": _iso(self.p50_date),
            "p95_date": _iso(self.p95_date),
            "beyond_horizon": dict(self.beyond_horizon),
            "determined": self.determined,
            "quantile_days": list(self.quantile_days),
            "probability_of_zero_by": {str(day): share for day, share in self.probability_of_zero_by.items()},
            "bands": {
                "days": list(self.bands.days),
                "p5": list(self.bands.p5),
                "p25": list(self.bands.p25),
                "p50": list(self.bands.p50),
                "p75": list(self.bands.p75),
                "p95": list(self.bands.p95),
            },
            "burn": {
                "mean_per_day": str(self.burn.mean_per_day),
                "std_per_day": str(self.burn.std_per_day),
                "window_days": self.burn.window_days,
            },
            "drivers": [
                {"name": driver.name, "label": driver.label, "expected_per_day": str(driver.expected_per_day)}
                for driver in self.drivers
            ],
            "engine_version": self.engine_version,
            "input_digest": self.input_digest,
            "lowest": {
                "day": self.lowest.day,
                "date": self.lowest.date.isoformat(),
                "balance": str(self.lowest.balance),
            },
            "lasts_past": None
            if self.lasts_past is None
            else {"date": self.lasts_past.date.isoformat(), "probability": self.lasts_past.probability},
            "tranches": [_tranche_json(tranche) for tranche in self.tranches],
            "next_events": [
                {
                    "day": event.day,
                    "date": event.date.isoformat(),
                    "kind": event.kind,
                    "label": event.label,
                    "amount": str(event.amount),
                    "probability": event.probability,
                }
                for event in self.next_events
            ],
            "marks": [
                {
                    "day": mark.day,
                    "date": mark.date.isoformat(),
                    "kind": mark.kind,
                    "label": mark.label,
                    "amount": str(mark.amount),
                }
                for mark in self.marks
            ],
            "calibration": {
                "state": self.calibration.state,
                "dispersion": self.calibration.dispersion,
                "windows": self.calibration.windows,
            },
        }


def money(amount: float) -> Decimal:
    """A figure of the kernel as money, to the cent: the one door out of float64."""
    return Decimal(repr(float(amount))).quantize(CENT, context=_ANY_FLOAT)


def _tranche_json(tranche: TrancheOutlook) -> dict[str, object]:
    return {
        "label": tranche.label,
        "date": tranche.date.isoformat(),
        "amount": str(tranche.amount),
        "probability": tranche.probability,
        "received": case_json(tranche.received),
        "not_received": case_json(tranche.not_received),
    }


def case_json(case: RunwayCase) -> dict[str, object]:
    """A runway under a condition, as plain values."""
    p5, p50, p95 = case.beyond_horizon
    return {
        "p5_days": case.p5_days,
        "p50_days": case.p50_days,
        "p95_days": case.p95_days,
        "beyond_horizon": {"p5": p5, "p50": p50, "p95": p95},
    }


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
