"""Scaling plans over HTTP: list them, and make one. Making one changes nothing in the cloud."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Schema, Status
from pydantic import Field

from cloudpolicy.selectors.plans import MAX_PAGE, list_plans
from cloudpolicy.services.aws import CloudUnavailable
from cloudpolicy.services.planning import plan_scaling
from ledger.api.auth import TokenAuth
from ledger.api.problems import Problem, ProblemSchema
from ledger.models.token import Scope

router = Router(tags=["policy"], auth=TokenAuth(Scope.POLICY))


class CallSchema(Schema):
    action: str
    group: str
    environment: str
    account: str
    region: str
    before: dict[str, Any]
    after: dict[str, Any]
    permission: str
    because: str
    says: str = Field(description="What the call does, in plain words.")
    monthly_saving: str | None = Field(description="With the calls before it made: savings add up. Base currency.")
    monthly_saving_low: str | None
    monthly_saving_high: str | None
    days_of_p5: int | None = Field(description="Of this saving alone; these do not add up to the plan's.")
    days_of_p5_together: int | None = Field(description="After the calls before it; these add up.")
    days_are_least: bool
    price: str | None
    unknown_because: str | None


class WorthSchema(Schema):
    priced_at: str
    currency: str
    monthly_saving: str | None = Field(description="Of all calls, before credits.")
    monthly_cash_saving: str | None = Field(description="What leaves the bank less while credits pay their share.")
    credit_share: str
    base_p5_days: int | None
    p5_days: int | None
    days_of_p5: int | None
    because: str | None


class PlanSchema(Schema):
    plan_id: int
    p5_days: int | None
    wanted_p5_days: int | None = Field(
        description="What a person asked it to reach; null in the policy's own plans."
    )
    forecast_run: int | None
    policy: str
    band: str | None
    read_only_because: str | None
    calls: list[CallSchema]
    worth: WorthSchema | None
    warnings: list[str]
    digest: str
    created_at: str
    confirmed_at: str
    applied_at: str | None


class PlanPage(Schema):
    plans: list[PlanSchema]
    next_before: int | None = Field(description="Ask again with `before` at this to go on; null at the end.")


class PageQuery(Schema):
    limit: int = Field(20, ge=1, le=MAX_PAGE)
    before: int | None = Field(None, ge=1, description="Only plans with a lower plan_id.")


@router.get("/plans", response=PlanPage, summary="Scaling plans, newest first")
def get_plans(request: HttpRequest, page: Query[PageQuery]) -> dict[str, Any]:
    company_id = request.auth.company_id  # type: ignore[attr-defined]
    plans = list_plans(company_id=company_id, limit=page.limit, before_id=page.before)
    return {
        "plans": [plan.to_json() for plan in plans],
        "next_before": plans[-1].plan_id if len(plans) == page.limit else None,
    }


@router.post(
    "/plans",
    response={200: PlanSchema, 201: PlanSchema, 503: ProblemSchema},
    summary="Plan what today's p5 implies (dry run)",
)
def post_plan(request: HttpRequest) -> Status[dict[str, Any]]:
    """201 with a new plan, 200 with the last one when nothing has changed since."""
    if request.body.strip() not in {b"", b"{}", b"null"}:
        raise Problem(422, "A plan follows from policy and forecast: send no body.")
    now = timezone.now()
    try:
        plan = plan_scaling(company_id=request.auth.company_id, now=now)  # type: ignore[attr-defined]
    except CloudUnavailable as unavailable:
        raise Problem(503, f"The groups cannot be read: {unavailable}.") from unavailable
    return Status(201 if plan.created_at == now else 200, plan.to_json())
