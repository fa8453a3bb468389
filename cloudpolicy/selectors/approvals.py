"""Who agreed to a plan, and whether that is enough."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cloudpolicy.models.approval import ApprovalKind, PlanApproval
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.run import RunKind, ScalingRun


@dataclass(frozen=True, slots=True)
class StoredApproval:
    """One approval. `counts` tells whether it still does; `user_id` is None for all but people."""

    kind: str
    actor: str
    reason: str
    approved_at: datetime
    expires_at: datetime
    counts: bool
    user_id: int | None


@dataclass(frozen=True, slots=True)
class PlanApprovals:
    """All approvals of a plan, oldest first. Of one that was renewed only the newest is among them.

    Attributes:
        given: how many different people agree at this moment. All tokens together are one of them.
    """

    approvals: tuple[StoredApproval, ...]
    given: int


def plan_approvals(*, plan: ScalingPlan, now: datetime) -> PlanApprovals:
    """An approval counts until it expires, for the plan as it was read, and until the plan is rolled back."""
    rolled_back = (
        ScalingRun.objects.filter(plan=plan, kind=RunKind.ROLLBACK)
        .order_by("-id")
        .values_list("started_at", flat=True)
        .first()
    )
    rows = _newest_of_each(PlanApproval.objects.filter(plan=plan).order_by("id"))
    counting = [
        row
        for row in rows
        if row.digest == plan.digest
        and row.expires_at > now
        and (rolled_back is None or row.approved_at > rolled_back)
    ]
    live = {row.pk for row in counting}
    return PlanApprovals(
        tuple(
            StoredApproval(
                row.kind, row.actor, row.reason, row.approved_at, row.expires_at, row.pk in live, row.user_id
            )
            for row in rows
        ),
        _people(counting),
    )


def _newest_of_each(rows: Iterable[PlanApproval]) -> list[PlanApproval]:
    """Without those that their approver has renewed since. A token is known by its name."""
    newest: dict[tuple[str, int | None, str], PlanApproval] = {}
    for row in rows:
        whose = (row.kind, row.user_id, row.actor if row.user_id is None else "")
        newest.pop(whose, None)
        newest[whose] = row
    return list(newest.values())


def _people(rows: Iterable[PlanApproval]) -> int:
    return len({(row.kind, row.user_id) for row in rows if row.kind != ApprovalKind.POLICY})
