"""What the API answers about past forecasts. Single amounts are text, means of scores are numbers."""

from datetime import date, datetime
from typing import Any

from ninja import Schema


class CalibrationSchema(Schema):
    """By how much the model's spread is stretched, and what supports it."""

    state: str
    dispersion: float
    windows: float
    stretch: float
    coverage_before: float | None
    coverage: float | None
    below_p5: float | None
    outcomes: int
    made_at: datetime


class HorizonSchema(Schema):
    """Balances so many days ahead, in base currency; `linear` is the extrapolation of 90 days."""

    days_ahead: int
    outcomes: int
    median_error: float
    linear_median_error: float
    score: float
    linear_score: float
    coverage: float
    below_p5: float
    above_p95: float
    width: float
    bias: float


class RunwayRecordSchema(Schema):
    outcomes: int
    ran_out: int
    median_error_days: float
    linear_median_error_days: float
    crps_days: float
    linear_crps_days: float
    coverage: float
    below_p5: float


class ZeroBinSchema(Schema):
    stated: float
    happened: float
    outcomes: int


class BacktestSchema(Schema):
    backtest_id: int
    begun_at: datetime
    engine_version: str
    first_day: date
    last_day: date
    days: int
    done: int
    refused: int


class PastForecastSchema(Schema):
    """One balance that was foretold; `run_id` is null for one of a back-test.

    `actual` is without `new_money`: funding received meanwhile that no plan of the day told of.
    """

    as_of: date
    day: date
    p5: str
    p50: str
    p95: str
    actual: str
    new_money: str
    linear: str
    inside: bool
    run_id: int | None


class AccuracySchema(Schema):
    company: str
    currency: str
    basis: str
    days_ahead: int
    published: int
    looked_back: int
    horizons: list[HorizonSchema]
    runway: RunwayRecordSchema | None
    zero: list[ZeroBinSchema]
    backtest: BacktestSchema | None
    calibration: CalibrationSchema | None
    past: list[PastForecastSchema]


class ReplaySchema(Schema):
    """A forecast made again; `forecast` is as `/runway` has it."""

    on: date
    known_at: datetime
    position: int
    plan_version: int
    published_run: int | None
    equals_published: bool | None
    differs: str | None
    forecast: dict[str, Any]
