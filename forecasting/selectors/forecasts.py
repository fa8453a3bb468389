"""Published forecasts, as pages, the API and the cloud policy read them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from forecasting.cache import CacheKey, remember
from forecasting.models.cursor import ForecastCursor
from forecasting.models.run import Basis, ForecastRun
from ledger.selectors.journal import journal_position


@dataclass(frozen=True, slots=True)
class DayBalance:
    """What was there at the end of a day, in base currency."""

    day: date
    balance: Decimal


@dataclass(frozen=True, slots=True)
class EarlierRunway:
    """What the forecast said on an earlier day: the last one published on or before it."""

    published_at: datetime
    as_of: date
    p5_days: int
    p50_days: int
    p95_days: int
    horizon_days: int


@dataclass(frozen=True, slots=True)
class StoredForecast:
    """The forecast in force on one basis.

    Attributes:
        position: journal position it has read; `events_behind` more have been recorded since.
        published_at: when it was computed.
        confirmed_at: when it was last published or found to be what journal, plan and rates still imply.
        forecast: the output of design section 4, with bands, marks and next events.
        history: actual closing balances of the days up to and including the as-of date.
        yesterday, last_week: what was in force one and seven days before `published_at`; None when nothing was.
    """

    run_id: int
    company_id: int
    basis: str
    as_of: date
    position: int
    events_behind: int
    plan_version: int
    plan_digest: str
    seed: int
    engine_version: str
    published_at: datetime
    confirmed_at: datetime
    forecast: dict[str, Any]
    history: tuple[DayBalance, ...]
    yesterday: EarlierRunway | None
    last_week: EarlierRunway | None


@dataclass(frozen=True, slots=True)
class RunwayInForce:
    """One company's p5 on one basis, for metrics."""

    company_slug: str
    basis: str
    p5_days: int
    computed_at: datetime


def latest_forecast(*, company_id: int, basis: str = "free") -> StoredForecast | None:
    """Return the forecast in force; None when none was ever published.

    Raises:
        ValueError: `basis` is neither free nor bank.
    """
    if basis not in Basis.values:
        raise ValueError(f"basis: must be free or bank, is {basis!r}")
    cursor = (
        ForecastCursor.objects.filter(company_id=company_id, free_run__isnull=False)
        .select_related(f"{basis}_run")
        .defer(f"{basis}_run__result", f"{basis}_run__closing_balances")
        .first()
    )
    run: ForecastRun | None = getattr(cursor, f"{basis}_run") if cursor else None
    if cursor is None or run is None or cursor.checked_at is None:
        return None
    content = remember(key=cache_key(run), compute=lambda: cached_content(run))
    return StoredForecast(
        run_id=run.pk,
        company_id=company_id,
        basis=basis,
        as_of=run.as_of,
        position=run.position,
        events_behind=max(journal_position(company_id=company_id) - run.position, 0),
        plan_version=cursor.plan_version,
        plan_digest=run.plan_digest,
        seed=run.seed,
        engine_version=run.engine_version,
        published_at=run.computed_at,
        confirmed_at=cursor.checked_at,
        forecast=content["forecast"],
        history=_day_balances(content["closing_balances"]),
        yesterday=_published_by(run, day=run.published_day - timedelta(days=1)),
        last_week=_published_by(run, day=run.published_day - timedelta(days=7)),
    )


def balance_in_force(*, company_id: int, basis: str) -> Decimal | None:
    """What the forecast in force starts from, without reading the rest of it; None when there is none."""
    balance = (
        ForecastCursor.objects.filter(company_id=company_id, **{f"{basis}_run__isnull": False})
        .values_list(f"{basis}_run__result__balance", flat=True)
        .first()
    )
    return None if balance is None else Decimal(balance)


def runways_in_force() -> Iterator[RunwayInForce]:
    """p5 of every company on both bases."""
    for basis in Basis.values:
        rows = ForecastCursor.objects.filter(**{f"{basis}_run__isnull": False}).values_list(
            "company__slug", f"{basis}_run__p5_days", f"{basis}_run__computed_at"
        )
        for slug, p5_days, computed_at in rows:
            yield RunwayInForce(company_slug=slug, basis=basis, p5_days=p5_days, computed_at=computed_at)


def refusal(*, company_id: int) -> str:
    """Why the last attempt could not produce a forecast; '' when it could or none was made."""
    return ForecastCursor.objects.filter(company_id=company_id).values_list("refusal", flat=True).first() or ""


def cache_key(run: ForecastRun) -> CacheKey:
    return CacheKey(
        company_id=run.company_id,
        position=run.position,
        plan_digest=run.plan_digest,
        as_of=run.as_of,
        basis=run.basis,
        seed=run.seed,
        engine_version=run.engine_version,
        history_digest=run.history_digest,
    )


def cached_content(run: ForecastRun) -> dict[str, Any]:
    """The two large columns of a run, which the cache saves the database from reading."""
    return {"forecast": run.result, "closing_balances": run.closing_balances}


def _day_balances(stored: dict[str, Any]) -> tuple[DayBalance, ...]:
    first = date.fromisoformat(stored["first_day"])
    return tuple(
        DayBalance(day=first + timedelta(days=offset), balance=Decimal(balance))
        for offset, balance in enumerate(stored["balances"])
    )


def _published_by(run: ForecastRun, *, day: date) -> EarlierRunway | None:
    earlier = (
        ForecastRun.objects.filter(company_id=run.company_id, basis=run.basis, published_day__lte=day)
        .order_by("-published_day", "-id")
        .values("computed_at", "as_of", "p5_days", "p50_days", "p95_days", "horizon_days")
        .first()
    )
    if earlier is None:
        return None
    return EarlierRunway(
        published_at=earlier["computed_at"],
        as_of=earlier["as_of"],
        p5_days=earlier["p5_days"],
        p50_days=earlier["p50_days"],
        p95_days=earlier["p95_days"],
        horizon_days=earlier["horizon_days"],
    )
