"""What is left alone for a while over HTTP: see it, and lift it."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import capfirst
from ninja import Router, Schema
from pydantic import Field

from cloudpolicy.selectors.exclusions import standing_exclusions
from cloudpolicy.services.exclusions import lift_exclusion
from cloudpolicy.services.refusals import MAX_REASON, NotAllowed
from ledger.api.auth import TokenAuth
from ledger.api.problems import Problem, ProblemSchema
from ledger.domain.problems import FieldProblem
from ledger.models.token import Scope

router = Router(tags=["policy"], auth=TokenAuth(Scope.POLICY))


class ExclusionSchema(Schema):
    exclusion_id: int
    account: str
    region: str
    name: str
    only_growth: bool = Field(description="It may still be made smaller, and is only not brought back.")
    because: str
    plan_id: int
    actor: str
    made_at: datetime
    ends_at: datetime


class ExclusionsSchema(Schema):
    exclusions: list[ExclusionSchema]


class Lifting(Schema, extra="forbid"):
    reason: str = Field(max_length=MAX_REASON)


@router.get("/exclusions", response=ExclusionsSchema, summary="What is left alone for a while, and why")
def get_exclusions(request: HttpRequest) -> dict[str, Any]:
    """Groups of a plan that somebody rolled back, and sizes that somebody chose. What the policy's own text
    excludes stands there."""
    found = standing_exclusions(company_id=_caller(request).company_id, now=timezone.now())
    return {"exclusions": [each.to_json() for each in found]}


@router.post(
    "/exclusions/{int:exclusion_id}/lift",
    response={200: ExclusionsSchema, 404: ProblemSchema, 422: ProblemSchema},
    summary="Let the policy decide about it again",
)
def post_lift(request: HttpRequest, exclusion_id: int, lifting: Lifting) -> dict[str, Any]:
    """Answers with what is still left alone."""
    caller = _caller(request)
    try:
        lift_exclusion(
            company_id=caller.company_id,
            exclusion_id=exclusion_id,
            actor=caller.actor,
            reason=lifting.reason,
            now=timezone.now(),
        )
    except NotAllowed as refused:
        if refused.field:
            errors = [FieldProblem(refused.field, str(refused))]
            raise Problem(422, "The request is refused.", errors=errors) from refused
        raise Problem(404, capfirst(f"{refused}.")) from refused
    return get_exclusions(request)


def _caller(request: HttpRequest) -> Any:
    return request.auth  # type: ignore[attr-defined]
