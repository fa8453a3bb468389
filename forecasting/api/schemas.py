"""What the forecast API answers. Money is text, dates are ISO 8601, probabilities are shares."""

from datetime import date, datetime
from typing import Any, Literal

from ninja import Schema


class BandsSchema(Schema):
    """Quantiles of the closing balance, day by day; day 1 follows the as-of date."""

    days: list[int]
    p5: list[float]
    p25: list[float]
    p50: list[float]
    p75: list[float]
    p95: list[float]


class EarlierSchema(Schema):
    """What was in force on an earlier day."""

    published_at: datetime
    as_of: date
    p5_days: int
    p50_days: int
    p95_days: int
    horizon_days: int


class BeyondSchema(Schema):
    p5: bool
    p50: bool
    p95: bool


class BurnSchema(Schema):
    mean_per_day: str
    std_per_day: str
    window_days: int


class CalibrationStateSchema(Schema):
    """On what the width of the intervals rests: by how much the model's own spread was stretched."""

    state: str = "uncalibrated"
    dispersion: float = 1.0
    windows: float = 0.0


class RunwaySchema(Schema):
    """The forecast in force. A quantile beyond the horizon equals the horizon and says so in `beyond_horizon`."""

    company: str
    as_of: date
    currency: str
    basis: str
    balance: str
    horizon_days: int
    paths: int
    seed: int
    p5_days: int
    p50_days: int
    p95_days: int
    p5_date: date | None
    p50_date: date | None
    p95_date: date | None
    beyond_horizon: BeyondSchema
    determined: bool
    quantile_days: list[int | None]
    probability_of_zero_by: dict[str, float | None]
    bands: BandsSchema
    burn: BurnSchema
    drivers: list[dict[str, Any]]
    engine_version: str
    input_digest: str
    lowest: dict[str, Any] | None
    lasts_past: dict[str, Any] | None
    tranches: list[dict[str, Any]]
    next_events: list[dict[str, Any]]
    marks: list[dict[str, Any]]
    calibration: CalibrationStateSchema = CalibrationStateSchema()
    run_id: int
    position: int
    events_behind: int
    plan_version: int
    plan_digest: str
    published_at: datetime
    confirmed_at: datetime
    refusal: str
    yesterday: EarlierSchema | None
    last_week: EarlierSchema | None


class ExplanationSchema(Schema):
    """Why the forecast in force is what it is. `state` is `pending` for a moment after its numbers are published.

    `changes` compares with the last forecast of the day before (`yesterday`) and of a week before (`last_week`),
    or is null where there is none; on a company's first day with its first (`first_forecast`). Days of `causes`
    sum to `p5_days` and `p50_days`, those of `events` to the cause `events`. Causes are made one after the other,
    always in this order: restated, calibration, time, rates, events, refit, plan. Effects of drivers and gains of
    levers are at least so large where `is_least` says so. `tranches`, `lowest` and `burn` come with the numbers,
    also while the rest is pending.
    """

    run_id: int
    company: str
    basis: str
    as_of: date
    currency: str
    state: Literal["pending", "explained"]
    explained_at: datetime | None
    drivers: list[dict[str, Any]] | None
    levers: list[dict[str, Any]] | None
    changes: dict[str, dict[str, Any] | None] | None
    checks: list[dict[str, Any]] | None
    tranches: list[dict[str, Any]]
    lowest: dict[str, Any] | None
    burn: BurnSchema


class DayBalanceSchema(Schema):
    day: date
    balance: str


class RunwayBandsSchema(Schema):
    """The fan chart as figures: what was, and the bands of what may come."""

    company: str
    as_of: date
    currency: str
    basis: str
    run_id: int
    position: int
    balance: str
    history: list[DayBalanceSchema]
    bands: BandsSchema
    marks: list[dict[str, Any]]


class PlanSchema(Schema):
    """The version of the plan in force."""

    version: int
    digest: str
    as_of: date
    recorded_at: datetime
    actor: str
    document: dict[str, Any]


class DifferenceSchema(Schema):
    """A balance to which history's opening balance and the events do not lead."""

    currency: str
    stated: str
    computed: str
    unexplained: str


class RecordedPlanSchema(Schema):
    status: str
    version: int
    digest: str
    balances: int
    grants: int
    differences: list[DifferenceSchema]
    warnings: list[str]
