"""Companies whose newest forecast no plan has looked at yet."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet

from cloudpolicy.models.cursor import PlanningCursor
from forecasting.models.cursor import ForecastCursor

# After the cloud did not answer it is left alone for this long.
REST_AFTER_REFUSAL = timedelta(seconds=60)


def unplanned_companies(*, now: datetime) -> tuple[int, ...]:
    """Numbers of the companies to plan for, without those whose last attempt failed a moment ago."""
    considered = PlanningCursor.objects.filter(
        company_id=OuterRef("company_id"), considered_run=OuterRef("free_run_id")
    )
    resting = _resting(now).filter(company_id=OuterRef("company_id"))
    return tuple(
        ForecastCursor.objects.filter(~Exists(considered), ~Exists(resting), free_run__isnull=False)
        .order_by("company_id")
        .values_list("company_id", flat=True)
    )


def is_resting(*, company_id: int, now: datetime) -> bool:
    """Whether the cloud did not answer for this company a moment ago."""
    return _resting(now).filter(company_id=company_id).exists()


def last_refusal(*, company_id: int) -> str:
    """Why the last attempt could not plan; '' when it could or none was made."""
    return PlanningCursor.objects.filter(company_id=company_id).values_list("refusal", flat=True).first() or ""


def _resting(now: datetime) -> QuerySet[PlanningCursor]:
    return PlanningCursor.objects.filter(tried_at__gte=now - REST_AFTER_REFUSAL).exclude(refusal="")
