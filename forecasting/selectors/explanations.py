"""Explanations of published forecasts, as pages and the API read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q

from forecasting.models.cursor import ForecastCursor
from forecasting.models.explanation import ForecastExplanation
from forecasting.models.run import ForecastRun


@dataclass(frozen=True, slots=True)
class StoredExplanation:
    """Attributes:
    content: `drivers`, `levers`, `changes` and `checks`, see `forecasting.explain.explanation`.
    """

    run_id: int
    explained_at: datetime
    content: dict[str, Any]


def explanation_of(*, company_id: int, run_id: int) -> StoredExplanation | None:
    """Return what is said about a run; None while nothing is."""
    found = (
        ForecastExplanation.objects.filter(company_id=company_id, run_id=run_id)
        .values_list("run_id", "explained_at", "content")
        .first()
    )
    return None if found is None else StoredExplanation(*found)


def newest_explanation(*, company_id: int, basis: str) -> StoredExplanation | None:
    """Return the last explanation of any run on a basis, for the time until the next is there."""
    found = (
        ForecastExplanation.objects.filter(company_id=company_id, run__basis=basis)
        .order_by("-explained_at")
        .values_list("run_id", "explained_at", "content")
        .first()
    )
    return None if found is None else StoredExplanation(*found)


def last_explained_at(*, company_id: int) -> datetime | None:
    """Return when the company's forecasts were last explained."""
    return (
        ForecastExplanation.objects.filter(company_id=company_id)
        .order_by("-explained_at")
        .values_list("explained_at", flat=True)
        .first()
    )


def companies_unexplained() -> tuple[int, ...]:
    """Return the companies with a run in force that nothing is said about yet."""
    said = ForecastExplanation.objects.filter(company_id=OuterRef("company_id"))
    return tuple(
        ForecastCursor.objects.filter(free_run__isnull=False, bank_run__isnull=False)
        .filter(
            Q(~Exists(said.filter(run_id=OuterRef("free_run_id"))))
            | Q(~Exists(said.filter(run_id=OuterRef("bank_run_id"))))
        )
        .order_by("company_id")
        .values_list("company_id", flat=True)
    )


def runs_unexplained(*, company_id: int) -> Sequence[ForecastRun]:
    """Return the company's runs in force that nothing is said about yet, free cash first."""
    cursor = ForecastCursor.objects.filter(company_id=company_id).values_list("free_run_id", "bank_run_id").first()
    if cursor is None:
        return ()
    return list(
        ForecastRun.objects.filter(company_id=company_id, id__in=[run for run in cursor if run])
        .filter(~Exists(ForecastExplanation.objects.filter(run_id=OuterRef("id"))))
        .select_related("plan")
        .defer("closing_balances")
        .order_by("-basis")
    )


def first_run(*, run: ForecastRun) -> ForecastRun | None:
    """Return the first run of the same company and basis; None when that is the run itself."""
    return (
        ForecastRun.objects.filter(company_id=run.company_id, basis=run.basis, id__lt=run.pk)
        .select_related("plan")
        .defer("closing_balances")
        .order_by("id")
        .first()
    )


def last_run_by(*, run: ForecastRun, days_before: int) -> ForecastRun | None:
    """Return the last run of the same basis that was published so many days before, or earlier."""
    return (
        ForecastRun.objects.filter(
            company_id=run.company_id,
            basis=run.basis,
            published_day__lte=run.published_day - timedelta(days=days_before),
        )
        .select_related("plan")
        .defer("closing_balances")
        .order_by("-published_day", "-id")
        .first()
    )
