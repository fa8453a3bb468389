"""Companies whose newest forecast, or whose newest verdict on their journal, no plan has looked at yet."""

from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, QuerySet

from cloudpolicy.models.cursor import PlanningCursor
from forecasting.models.cursor import ForecastCursor
from ledger.models.chain_verdict import ChainVerdict

# After the cloud did not answer it is left alone for this long.
REST_AFTER_REFUSAL = timedelta(seconds=60)
# While p5 stays in its band, groups are looked at again only this often, however many forecasts are published.
LOOK_AGAIN_AFTER = timedelta(minutes=5)


def unplanned_companies(*, now: datetime) -> tuple[int, ...]:
    """Numbers of the companies to plan for, without those whose last attempt failed a moment ago.

    Time alone may ask for a plan as well: quiet hours, a cooldown or an exclusion has ended.

    A verdict on the journal is looked at as a forecast is: a plan that may be acted on would outlive the chain.
    """
    considered = PlanningCursor.objects.filter(
        company_id=OuterRef("company_id"), considered_run=OuterRef("free_run_id")
    )
    judged = ChainVerdict.objects.filter(
        company_id=OuterRef("company_id"),
        company__planning_cursor__looked_at__lt=F("verified_at"),
        company__planning_cursor__looked_at__lte=now - LOOK_AGAIN_AFTER,
    )
    due = PlanningCursor.objects.filter(company_id=OuterRef("company_id"), look_again_at__lte=now)
    resting = _resting(now).filter(company_id=OuterRef("company_id"))
    return tuple(
        ForecastCursor.objects.filter(
            ~Exists(considered) | Exists(judged) | Exists(due), ~Exists(resting), free_run__isnull=False
        )
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
