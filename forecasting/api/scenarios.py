"""What-ifs: run one, keep it, run it again on today's ledger."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import timedelta
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Path, Router, Schema
from ninja.responses import Status
from pydantic import ConfigDict, Field

from forecasting.api.scenario_schemas import (
    KindSchema,
    RunSchema,
    ScenarioListSchema,
    ScenarioSchema,
)
from forecasting.fit.history import MissingInputs
from forecasting.outcome import RunwayCase, money
from forecasting.scenarios.change import Change, InvalidScenario
from forecasting.scenarios.comparison import Case
from forecasting.scenarios.fields import is_required, rule_of
from forecasting.scenarios.registry import all_changes
from forecasting.scenarios.scenario import read_changes
from forecasting.selectors.scenarios import ScenarioNotFound, StoredScenario, find_scenario, scenarios_of
from forecasting.services.scenarios import NameTaken, archive_scenario, keep_scenario, revise_scenario
from forecasting.services.what_if import WhatIf, what_if
from ledger.api.auth import TokenAuth
from ledger.api.problems import Problem, ProblemSchema
from ledger.domain.problems import FieldProblem

router = Router(tags=["scenarios"], auth=TokenAuth("read"))

KEEPING = "ingest"
_PROBLEMS = dict.fromkeys((400, 401, 403, 409, 422), ProblemSchema)
_PROBLEMS_OF_ONE = _PROBLEMS | {404: ProblemSchema}
ScenarioId = Annotated[int, Path(ge=1, le=2**63 - 1)]


class WhatIfBody(Schema):
    """Changes to make together; with a name they are kept."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field("", description="Keeps the scenario under this name; empty runs it once.")
    basis: Literal["free", "bank"] = "free"
    changes: list[dict[str, Any]] = Field(description="See GET /scenarios/kinds; their order does not matter.")


class RevisionBody(Schema):
    """What a kept scenario is called and changes from now on."""

    model_config = ConfigDict(extra="forbid")

    name: str
    changes: list[dict[str, Any]]


@router.get(
    "/scenarios",
    response={200: ScenarioListSchema, 401: ProblemSchema, 403: ProblemSchema},
    summary="Kept scenarios",
)
def get_scenarios(request: HttpRequest) -> dict[str, Any]:
    """By name, each with its newest version; archived ones are left out."""
    kept = scenarios_of(company_id=_company_id(request))
    return {"scenarios": [_scenario(each, request) for each in kept]}


@router.get("/scenarios/kinds", response={200: list[KindSchema]}, auth=None, summary="Kinds of change")
def get_kinds(request: HttpRequest) -> list[dict[str, Any]]:  # noqa: ARG001 -- ninja passes it by name
    """What `changes` may hold; needs no token."""
    return [
        {
            "kind": kind.KIND,
            "label": kind.LABEL,
            "fields": [
                {
                    "name": each.name,
                    "holds": (rule := rule_of(each)).kind,
                    "label": rule.label,
                    "hint": rule.hint,
                    "required": is_required(each),
                    "at_least": rule.at_least if rule.kind in {"share", "whole"} else None,
                    "at_most": rule.at_most if rule.kind in {"share", "whole"} else None,
                    "choices": [value for value, _ in rule.choices],
                }
                for each in fields(kind)
            ],
        }
        for kind in all_changes().values()
    ]


@router.post(
    "/scenarios",
    response={200: RunSchema, 201: RunSchema, **_PROBLEMS},
    summary="Run a what-if, and keep it when it has a name",
)
def post_scenario(request: HttpRequest, body: WhatIfBody) -> Status[dict[str, Any]]:
    """200 with the answer; 201 when it was kept, which needs the scope `ingest` as well.

    409 when the name is taken, or when there can be no honest forecast yet.
    """
    identity = request.auth  # type: ignore[attr-defined]
    if body.name and KEEPING not in identity.scopes:
        raise Problem(403, f"This token lacks the scope {KEEPING}, which keeping a scenario needs.")
    changes = _changes(body.changes)
    answer = _run(request, changes, basis=body.basis)
    if not body.name:
        return Status(200, answer | {"scenario": None})
    try:
        kept = keep_scenario(
            company_id=identity.company_id,
            name=body.name,
            changes=changes,
            actor=identity.actor,
            now=timezone.now(),
        )
    except (InvalidScenario, NameTaken) as error:
        raise _refused(error) from error
    return Status(201, answer | {"scenario": _scenario(kept, request)})


@router.get(
    "/scenarios/{scenario_id}",
    response={200: ScenarioSchema, **_PROBLEMS_OF_ONE},
    summary="One kept scenario",
)
def get_scenario(request: HttpRequest, scenario_id: ScenarioId) -> dict[str, Any]:
    return _scenario(_find(request, scenario_id), request)


@router.put(
    "/scenarios/{scenario_id}",
    auth=TokenAuth(KEEPING),
    response={200: ScenarioSchema, **_PROBLEMS_OF_ONE},
    summary="Record a new version",
)
def put_scenario(request: HttpRequest, scenario_id: ScenarioId, body: RevisionBody) -> dict[str, Any]:
    """The same changes again add no version."""
    changes = _changes(body.changes)
    try:
        kept = revise_scenario(
            company_id=_company_id(request),
            scenario_id=scenario_id,
            name=body.name,
            changes=changes,
            actor=request.auth.actor,  # type: ignore[attr-defined]
            now=timezone.now(),
        )
    except (InvalidScenario, NameTaken) as error:
        raise _refused(error) from error
    except ScenarioNotFound as error:
        raise Problem(404, str(error)) from error
    return _scenario(kept, request)


@router.delete(
    "/scenarios/{scenario_id}",
    auth=TokenAuth(KEEPING),
    response={204: None, **_PROBLEMS_OF_ONE},
    summary="Archive a scenario",
)
def delete_scenario(request: HttpRequest, scenario_id: ScenarioId) -> Status[None]:
    """Out of sight, its name free again; its versions stay on record."""
    try:
        archive_scenario(
            company_id=_company_id(request),
            scenario_id=scenario_id,
            actor=request.auth.actor,  # type: ignore[attr-defined]
            now=timezone.now(),
        )
    except ScenarioNotFound as error:
        raise Problem(404, str(error)) from error
    return Status(204, None)


@router.post(
    "/scenarios/{scenario_id}/run",
    response={200: RunSchema, **_PROBLEMS_OF_ONE},
    summary="Run a kept scenario on today's ledger",
)
def run_scenario(
    request: HttpRequest, scenario_id: ScenarioId, basis: Literal["free", "bank"] = "free"
) -> dict[str, Any]:
    """422 names the changes that do not fit any more, e.g. of a tranche that the plan no longer has."""
    kept = _find(request, scenario_id)
    return _run(request, kept.changes, basis=basis) | {"scenario": _scenario(kept, request)}


def _company_id(request: HttpRequest) -> int:
    company_id: int = request.auth.company_id  # type: ignore[attr-defined]
    return company_id


def _find(request: HttpRequest, scenario_id: int) -> StoredScenario:
    try:
        return find_scenario(company_id=_company_id(request), scenario_id=scenario_id)
    except ScenarioNotFound as error:
        raise Problem(404, str(error)) from error


def _changes(raw: list[dict[str, Any]]) -> tuple[Change, ...]:
    try:
        return read_changes(raw)
    except InvalidScenario as error:
        raise _refused(error) from error


def _refused(error: InvalidScenario | NameTaken) -> Problem:
    if isinstance(error, NameTaken):
        return Problem(409, f"{error}.", errors=[FieldProblem("name", "is taken")])
    return Problem(422, "The scenario is refused.", errors=error.errors)


def _run(request: HttpRequest, changes: Sequence[Change], *, basis: Literal["free", "bank"]) -> dict[str, Any]:
    company = request.auth.company  # type: ignore[attr-defined]
    try:
        found = what_if(company=company, basis=basis, cases=(changes,), now=timezone.now())
    except InvalidScenario as error:
        raise _refused(error) from error
    except MissingInputs as missing:
        raise Problem(
            409,
            "There is no forecast yet, because something is missing.",
            errors=[FieldProblem("", reason) for reason in missing.reasons],
        ) from missing
    return _answer(found)


def _answer(found: WhatIf) -> dict[str, Any]:
    (compared,) = found.cases
    base, changed, gained = found.base, compared.case, compared.gained
    p5, p50, p95 = gained.is_least
    return {
        "company": found.company.slug,
        "currency": found.company.base_currency,
        "basis": found.basis,
        "as_of": found.as_of,
        "position": found.position,
        "plan_version": found.plan_version,
        "horizon_days": found.horizon_days,
        "changes": [each.to_json() for each in compared.changes],
        "sentences": [each.sentence(found.company.base_currency) for each in compared.changes],
        "base": _case(base, found),
        "changed": _case(changed, found),
        "days_gained": {"p5": gained.p5, "p50": gained.p50, "p95": gained.p95, "mean": gained.mean}
        | {"is_least": {"p5": p5, "p50": p50, "p95": p95}},
        "balance_gained": {"days": base.bands.days.tolist()}
        | {
            name: (getattr(changed.bands, name) - getattr(base.bands, name)).round(2).tolist()
            for name in ("p5", "p25", "p50", "p75", "p95")
        },
    }


def _case(each: Case, found: WhatIf) -> dict[str, Any]:
    runway: RunwayCase = each.runway
    days = (runway.p5_days, runway.p50_days, runway.p95_days)
    p5, p50, p95 = (
        None if beyond else found.as_of + timedelta(days=count)
        for count, beyond in zip(days, runway.beyond_horizon, strict=True)
    )
    return {
        "balance": str(money(each.opening_balance)),
        "p5_days": runway.p5_days,
        "p50_days": runway.p50_days,
        "p95_days": runway.p95_days,
        "p5_date": p5,
        "p50_date": p50,
        "p95_date": p95,
        "beyond_horizon": dict(zip(("p5", "p50", "p95"), runway.beyond_horizon, strict=True)),
        "quantile_days": [day if day <= found.horizon_days else None for day in each.quantile_days],
        "mean_days": round(each.mean_days, 1),
    }


def _scenario(each: StoredScenario, request: HttpRequest) -> dict[str, Any]:
    currency = request.auth.company.base_currency  # type: ignore[attr-defined]
    return asdict(each) | {
        "changes": [change.to_json() for change in each.changes],
        "sentences": [change.sentence(currency) for change in each.changes],
    }
