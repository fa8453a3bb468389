"""`GET` and `PUT /plan`, and the schema that a plan obeys."""

from dataclasses import asdict
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router
from ninja.responses import Status

from forecasting.api.schemas import PlanSchema, RecordedPlanSchema
from forecasting.fit.plan import InvalidPlan
from forecasting.selectors.plans import plan_in_force
from forecasting.services.plan_text import read_plan_text
from forecasting.services.plans import plan_schema, record_plan
from ledger.api.auth import TokenAuth
from ledger.api.body import JSON, media_type, whole_body
from ledger.api.problems import Problem, ProblemSchema
from ledger.domain.problems import FieldProblem

router = Router(tags=["plan"])

MAX_BYTES = 10_000_000
_PROBLEMS = {401: ProblemSchema, 403: ProblemSchema}


@router.get(
    "/plan",
    auth=TokenAuth("read"),
    response={200: PlanSchema, **_PROBLEMS, 404: ProblemSchema},
    summary="The plan in force",
)
def get_plan(request: HttpRequest) -> dict[str, Any]:
    """The newest version, as it was given."""
    plan = plan_in_force(company_id=request.auth.company_id)  # type: ignore[attr-defined]
    if plan is None:
        raise Problem(404, "No plan is recorded yet.")
    return {
        "version": plan.version,
        "digest": plan.digest,
        "as_of": plan.as_of,
        "recorded_at": plan.recorded_at,
        "actor": plan.actor,
        "document": plan.raw,
    }


@router.put(
    "/plan",
    auth=TokenAuth("ingest"),
    response={
        200: RecordedPlanSchema,
        201: RecordedPlanSchema,
        **_PROBLEMS,
        413: ProblemSchema,
        415: ProblemSchema,
        422: ProblemSchema,
    },
    summary="Record a plan",
    openapi_extra={"requestBody": {"required": True, "content": {JSON: {"schema": plan_schema()}}}},
)
def put_plan(request: HttpRequest) -> Status[dict[str, Any]]:
    """Make the document the newest version (201); the same document again changes nothing (200)."""
    media_type(request, allowed=frozenset({JSON}))
    try:
        recorded = record_plan(
            company_id=request.auth.company_id,  # type: ignore[attr-defined]
            raw=read_plan_text(whole_body(request, limit_bytes=MAX_BYTES)),
            actor=request.auth.actor,  # type: ignore[attr-defined]
            now=timezone.now(),
        )
    except InvalidPlan as invalid:
        problems = [FieldProblem(problem.path, problem.message) for problem in invalid.problems]
        raise Problem(422, "The plan is refused.", errors=problems) from invalid
    answer = {
        "status": recorded.status,
        "version": recorded.version,
        "digest": recorded.digest,
        "balances": recorded.balances,
        "grants": recorded.grants,
        "differences": [
            {name: str(value) for name, value in asdict(difference).items()} for difference in recorded.differences
        ],
        "warnings": list(recorded.warnings),
    }
    return Status(200 if recorded.status == "unchanged" else 201, answer)


@router.get("/plan-schema.json", summary="JSON Schema of a plan")
def get_plan_schema(request: HttpRequest) -> dict[str, Any]:  # noqa: ARG001 -- ninja passes it by name
    """The schema; needs no token."""
    return plan_schema()
