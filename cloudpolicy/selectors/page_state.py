"""Whether an open page still shows what is true: the cheap look behind the poll that it sends every second."""

from datetime import datetime
from hashlib import sha256

from django.db.models import Max, OuterRef, Subquery
from django.db.models.functions import Coalesce

from cloudpolicy.models.approval import PlanApproval
from cloudpolicy.models.cursor import PlanningCursor
from cloudpolicy.models.groups_seen import GroupsSeen
from cloudpolicy.models.kill_switch import KillSwitchTurn
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.policy import PolicyVersion
from cloudpolicy.models.run import ScalingRun, StepEntry
from forecasting.models.cursor import ForecastCursor
from ledger.models.company import Company


def cloud_page_seen(*, company_id: int, now: datetime) -> str:
    """A word that changes whenever the page of the cloud would: another plan, approval, step, turn or day.

    Args:
        now: in the company's time zone. What is told of the time passed is as good as the minute.
    """
    own = {"company_id": OuterRef("pk")}

    def newest(rows: object, name: str) -> Subquery:
        return Subquery(rows.filter(**own).order_by(f"-{name}").values(name)[:1])  # type: ignore[attr-defined]

    last_run = ScalingRun.objects.filter(**own).order_by("-id")
    lines = (
        StepEntry.objects.filter(run=OuterRef("last_run"))
        .values("run")
        .annotate(newest=Max("line"))
        .values("newest")
    )
    values = (
        Company.objects.filter(pk=company_id)
        .annotate(last_run=Subquery(last_run.values("pk")[:1]))
        .values_list(
            newest(ScalingPlan.objects, "id"),
            newest(PlanApproval.objects, "id"),
            newest(KillSwitchTurn.objects, "id"),
            newest(PolicyVersion.objects, "version"),
            newest(GroupsSeen.objects, "seen_at"),
            "last_run",
            Subquery(last_run.values("state")[:1]),
            Subquery(last_run.values("outcome")[:1]),
            Subquery(last_run.values("attempts")[:1]),
            Coalesce(Subquery(lines[:1]), 0),
            Subquery(PlanningCursor.objects.filter(**own).values("refusal")[:1]),
            Subquery(ForecastCursor.objects.filter(**own).values("free_run__p5_days")[:1]),
            Subquery(ForecastCursor.objects.filter(**own).values("refusal")[:1]),
        )
        .get()
    )
    return sha256(f"{values} {now:%Y%m%d%H%M}".encode()).hexdigest()[:16]
