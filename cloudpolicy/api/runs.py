"""Plans at work over HTTP: approve, apply and roll back exactly one, see how far it is, and stop everything."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import capfirst
from ninja import Body, Router, Schema, Status
from pydantic import Field

from cloudpolicy.api.plans import PlanSchema
from cloudpolicy.engine.document import InvalidPolicy
from cloudpolicy.models.run import RunState, ScalingRun
from cloudpolicy.selectors.approvals import plan_approvals
from cloudpolicy.selectors.kill_switch import KillSwitch, kill_switch
from cloudpolicy.selectors.plans import stored_plan
from cloudpolicy.selectors.runs import list_runs, run_view
from cloudpolicy.selectors.savings import plan_worth
from cloudpolicy.services.approving import Approver, Consent, approve_plan, consent_to
from cloudpolicy.services.kill_switch import turn_kill_switch
from cloudpolicy.services.refusals import MAX_REASON, EngineBusy, NotAllowed, PlanNotFound
from cloudpolicy.services.runs import start_apply, start_rollback
from cloudpolicy.services.standing_plans import find_plan, void_because
from cloudpolicy.wake import wake_run
from ledger.api.auth import TokenAuth
from ledger.api.problems import Problem, ProblemSchema
from ledger.domain.problems import FieldProblem
from ledger.domain.token import TokenIdentity
from ledger.models.token import Scope

router = Router(tags=["policy"], auth=TokenAuth(Scope.POLICY))
REFUSALS = {404: ProblemSchema, 409: ProblemSchema, 422: ProblemSchema}


class Asked(Schema, extra="forbid"):
    reason: str = Field(default="asked for over the API", max_length=MAX_REASON)


class AskedToApprove(Asked):
    digest: str = Field(default="", max_length=64, description="Of the plan that was read.")


class ApprovalSchema(Schema):
    kind: str
    actor: str
    reason: str
    approved_at: datetime
    expires_at: datetime
    counts: bool


class ConsentSchema(Schema):
    needed: int = Field(description="How many people have to agree; 0 when the policy does so itself.")
    given: int
    missing: str


class StepSchema(Schema):
    step: int
    action: str
    says: str = Field(description="What the step does, in plain words.")
    account: str
    region: str
    group: str
    environment: str
    before: dict[str, Any]
    after: dict[str, Any]
    phase: str
    text: str
    at: str | None
    request_ids: list[str]
    asked: int


class RunSchema(Schema):
    run_id: int
    plan_id: int
    kind: str
    state: str = Field(description="open, done, partly or stopped")
    said: str
    because: str
    actor: str
    reason: str
    started_at: str
    resume_at: str | None
    ended_at: str | None
    undoes: int | None
    done: int
    steps: list[StepSchema]


class PlanAtWork(PlanSchema):
    consent: ConsentSchema
    approvals: list[ApprovalSchema]
    void_because: str
    runs: list[RunSchema]


class ApprovedSchema(ConsentSchema):
    plan_id: int
    digest: str


class NothingToDo(Schema):
    plan_id: int
    state: str = "nothing_to_do"


class SwitchSchema(Schema):
    on: bool
    because: str
    turned_at: datetime | None


class Turn(Schema, extra="forbid"):
    on: bool
    reason: str = Field(max_length=MAX_REASON)


@router.get("/plans/{int:plan_id}", response={200: PlanAtWork, **REFUSALS}, summary="A plan, who agreed, its runs")
def get_plan(request: HttpRequest, plan_id: int) -> dict[str, Any]:
    company_id, now = _caller(request).company_id, timezone.now()
    with _refusals():
        plan = find_plan(company_id=company_id, plan_id=plan_id)
        consent, void = consent_to(plan=plan, now=now), void_because(plan=plan, now=now)
    return {
        **stored_plan(plan, worth=plan_worth(company_id=plan.company_id, plan_id=plan.pk)).to_json(),
        "consent": _consent(consent),
        "approvals": plan_approvals(plan=plan, now=now).approvals,
        "void_because": void,
        "runs": [run.to_json() for run in list_runs(company_id=company_id, plan_id=plan.pk)],
    }


@router.post(
    "/plans/{int:plan_id}/approve",
    response={200: ApprovedSchema, **REFUSALS},
    summary="Approve exactly this plan; all tokens of a company together count as one person",
)
def post_approve(request: HttpRequest, plan_id: int, asked: Body[AskedToApprove | None] = None) -> dict[str, Any]:
    caller, asked = _caller(request), asked or AskedToApprove()
    with _refusals():
        consent = approve_plan(
            company_id=caller.company_id,
            plan_id=plan_id,
            approver=Approver(caller.actor),
            reason=asked.reason,
            digest=asked.digest,
            now=timezone.now(),
        )
        plan = find_plan(company_id=caller.company_id, plan_id=plan_id)
    return {"plan_id": plan.pk, "digest": plan.digest, **_consent(consent)}


@router.post(
    "/plans/{int:plan_id}/apply",
    response={200: RunSchema | NothingToDo, 202: RunSchema, **REFUSALS},
    summary="Carry an approved plan out",
)
def post_apply(request: HttpRequest, plan_id: int, asked: Body[Asked | None] = None) -> Status[Any]:
    """202 with a run that is begun: ask for the plan to see how far it is. 200 when it is done already."""
    caller, asked = _caller(request), asked or Asked()
    with _refusals():
        run = start_apply(
            company_id=caller.company_id,
            plan_id=plan_id,
            actor=caller.actor,
            reason=asked.reason,
            now=timezone.now(),
        )
    return Status(200, {"plan_id": plan_id, "state": "nothing_to_do"}) if run is None else _begun(run)


@router.post(
    "/plans/{int:plan_id}/rollback",
    response={200: RunSchema, 202: RunSchema, **REFUSALS},
    summary="Take back what a plan has changed",
)
def post_rollback(request: HttpRequest, plan_id: int, asked: Body[Asked | None] = None) -> Status[Any]:
    """202 with a run that is begun: ask for the plan to see how far it is."""
    caller, asked = _caller(request), asked or Asked()
    with _refusals():
        run = start_rollback(
            company_id=caller.company_id,
            plan_id=plan_id,
            actor=caller.actor,
            reason=asked.reason,
            now=timezone.now(),
        )
    return _begun(run)


@router.get("/kill-switch", response=SwitchSchema, summary="Whether anything may change the cloud at all")
def get_kill_switch(request: HttpRequest) -> KillSwitch:
    return kill_switch(company_id=_caller(request).company_id)


@router.put("/kill-switch", response={200: SwitchSchema, **REFUSALS}, summary="Turn the kill switch on or off")
def put_kill_switch(request: HttpRequest, turn: Turn) -> KillSwitch:
    caller = _caller(request)
    with _refusals():
        return turn_kill_switch(
            company_id=caller.company_id, on=turn.on, actor=caller.actor, reason=turn.reason, now=timezone.now()
        )


def _begun(run: ScalingRun) -> Status[Any]:
    if run.state == RunState.OPEN:
        wake_run(run_id=run.pk)
    view = run_view(company_id=run.company_id, run_id=run.pk)
    assert view is not None
    return Status(202 if view.is_open else 200, view.to_json())


def _caller(request: HttpRequest) -> TokenIdentity:
    identity: TokenIdentity = request.auth  # type: ignore[attr-defined]
    return identity


def _consent(consent: Consent) -> dict[str, Any]:
    return {"needed": consent.needed, "given": consent.given, "missing": consent.missing}


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn what the services refuse into problems."""
    try:
        yield
    except PlanNotFound as missing:
        raise Problem(404, capfirst(f"{missing}.")) from missing
    except NotAllowed as refused:
        if refused.field:
            errors = [FieldProblem(refused.field, str(refused))]
            raise Problem(422, "The request is refused.", errors=errors) from refused
        raise Problem(409, capfirst(f"{refused}.")) from refused
    except EngineBusy as busy:
        raise Problem(409, capfirst(f"{busy}.")) from busy
    except InvalidPolicy as broken:
        raise Problem(409, f"The stored policy is broken: {broken}.") from broken
