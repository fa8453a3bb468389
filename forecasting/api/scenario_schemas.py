"""What the API of what-ifs answers."""

from datetime import date, datetime
from typing import Any

from ninja import Schema

from forecasting.api.schemas import BandsSchema, BeyondSchema


class FieldSchema(Schema):
    """One field of a change. A share of 0.1 is 10 %; money is text, days are ISO 8601."""

    name: str
    holds: str
    label: str
    hint: str
    required: bool
    at_least: float | None
    at_most: float | None
    choices: list[str]


class KindSchema(Schema):
    kind: str
    label: str
    fields: list[FieldSchema]


class ScenarioSchema(Schema):
    """A kept scenario with its newest version; `sentences` say its changes in words."""

    scenario_id: int
    name: str
    version: int
    changes: list[dict[str, Any]]
    sentences: list[str]
    digest: str
    recorded_at: datetime
    actor: str


class ScenarioListSchema(Schema):
    scenarios: list[ScenarioSchema]


class CaseSchema(Schema):
    """A runway. A quantile beyond the horizon equals the horizon and says so."""

    balance: str
    p5_days: int
    p50_days: int
    p95_days: int
    p5_date: date | None
    p50_date: date | None
    p95_date: date | None
    beyond_horizon: BeyondSchema
    quantile_days: list[int | None]
    mean_days: float


class DaysGainedSchema(Schema):
    """Days that the changed case has beyond the base; `is_least` where one of the two lies beyond the horizon.

    Where both do, the days are 0 and say nothing.
    """

    p5: int
    p50: int
    p95: int
    mean: float
    is_least: BeyondSchema


class RunSchema(Schema):
    """A what-if beside the base, both on the same shocks.

    `balance_gained` is the difference of the two bands, quantile by quantile and day by day.
    """

    company: str
    currency: str
    basis: str
    as_of: date
    position: int
    plan_version: int
    horizon_days: int
    changes: list[dict[str, Any]]
    sentences: list[str]
    base: CaseSchema
    changed: CaseSchema
    days_gained: DaysGainedSchema
    balance_gained: BandsSchema
    scenario: ScenarioSchema | None
