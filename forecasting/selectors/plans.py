"""Which plan counts."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from forecasting.fit.plan import PlanDocument, parse_plan
from forecasting.models.plan import Plan


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """One version of a company's plan.

    Attributes:
        raw: the document as it was given.
        document: the same, checked.
    """

    plan_id: int
    version: int
    digest: str
    as_of: date
    recorded_at: datetime
    actor: str
    raw: dict[str, Any]
    document: PlanDocument


def plan_in_force(*, company_id: int, on: date | None = None) -> StoredPlan | None:
    """Return the newest version, or the newest whose balances stand on or before `on`; None without one."""
    plans = Plan.objects.filter(company_id=company_id).order_by("-version")
    if on is not None:
        plans = plans.filter(as_of__lte=on)
    plan = plans.first()
    if plan is None:
        return None
    return StoredPlan(
        plan_id=plan.pk,
        version=plan.version,
        digest=plan.digest,
        as_of=plan.as_of,
        recorded_at=plan.recorded_at,
        actor=plan.actor,
        raw=plan.document,
        document=parse_plan(plan.document),
    )
