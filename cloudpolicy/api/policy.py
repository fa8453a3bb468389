"""`GET` and `PUT /policy` as JSON or YAML, its versions, and the schema that a policy obeys."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Query, Router, Schema, Status
from pydantic import Field

from cloudpolicy.engine.document import InvalidPolicy
from cloudpolicy.engine.policy_text import MAX_BYTES, Lines, read_json, read_yaml, write_yaml
from cloudpolicy.selectors.policies import StoredPolicy, VersionNote, policy_version, policy_versions
from cloudpolicy.services.policies import BECAUSE_LENGTH, PolicyMoved, enable_policy, policy_schema, stored_policy
from ledger.api.auth import TokenAuth
from ledger.api.body import JSON, media_type, whole_body
from ledger.api.problems import Problem, ProblemSchema
from ledger.domain.problems import FieldProblem
from ledger.models.token import Scope

router = Router(tags=["policy"])

YAML = "application/yaml"  # RFC 9512
YAML_TYPES = frozenset({YAML, "application/x-yaml", "text/yaml", "text/x-yaml"})
_PROBLEMS = {401: ProblemSchema, 403: ProblemSchema}
_AUTH = TokenAuth(Scope.POLICY)


class VersionSchema(Schema):
    version: int
    name: str
    digest: str
    actor: str
    because: str
    created_at: str


class PolicySchema(VersionSchema):
    document: dict[str, Any]


class VersionsSchema(Schema):
    versions: list[VersionSchema]


class EnabledSchema(Schema):
    status: str = Field(description="recorded, or unchanged when the version in force says the same.")
    version: int
    digest: str


class WantedQuery(Schema):
    version: int | None = Field(None, ge=1, le=2**31 - 1, description="Default: the one in force.")


class WhyQuery(Schema):
    because: str = Field("put over the API", max_length=BECAUSE_LENGTH, description="Why, in one line.")
    instead_of: int | None = Field(
        None, ge=1, le=2**31 - 1, description="Refuse with 409 unless this version is the one in force."
    )


@router.get(
    "",
    auth=_AUTH,
    response={200: PolicySchema, **_PROBLEMS, 404: ProblemSchema, 422: ProblemSchema},
    summary="The policy in force, or one of its versions",
)
def get_policy(request: HttpRequest, query: Query[WantedQuery]) -> Any:
    """JSON with version, who and why; the document alone as YAML where `Accept` asks for `application/yaml`."""
    company_id = request.auth.company_id  # type: ignore[attr-defined]
    if query.version is None:
        stored: StoredPolicy | None = stored_policy(company_id=company_id, now=timezone.now())
    else:
        stored = policy_version(company_id=company_id, version=query.version)
    if stored is None:
        raise Problem(404, f"There is no version {query.version}.")
    if request.get_preferred_type([JSON, *sorted(YAML_TYPES)]) in YAML_TYPES:
        return HttpResponse(write_yaml(stored.document), content_type=f"{YAML}; charset=utf-8")
    return _said(stored) | {"document": stored.document}


@router.put(
    "",
    auth=_AUTH,
    response={
        200: EnabledSchema,
        201: EnabledSchema,
        **_PROBLEMS,
        409: ProblemSchema,
        413: ProblemSchema,
        415: ProblemSchema,
        422: ProblemSchema,
    },
    summary="Put a policy in force",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {JSON: {"schema": policy_schema()}, YAML: {"schema": {"type": "string"}}},
        }
    },
)
def put_policy(request: HttpRequest, query: Query[WhyQuery]) -> Status[dict[str, Any]]:
    """Make the document the newest version (201); the same document again changes nothing (200)."""
    kind = media_type(request, allowed=frozenset({JSON, *YAML_TYPES}))
    body = whole_body(request, limit_bytes=MAX_BYTES)
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        problem = FieldProblem("body", f"is not UTF-8 at byte {error.start}")
        raise Problem(422, "The policy is refused.", errors=[problem]) from error
    try:
        enabled = enable_policy(
            company_id=request.auth.company_id,  # type: ignore[attr-defined]
            document=read_json(text) if kind == JSON else read_yaml(text),
            actor=request.auth.actor,  # type: ignore[attr-defined]
            because=query.because,
            instead_of=query.instead_of,
            now=timezone.now(),
        )
    except InvalidPolicy as invalid:
        problems = _with_lines(invalid, text)
        raise Problem(422, "The policy is refused.", errors=problems) from invalid
    except PolicyMoved as moved:
        raise Problem(409, f"The policy is another one: {moved}.") from moved
    answer = {"status": enabled.status, "version": enabled.version, "digest": enabled.digest}
    return Status(200 if enabled.status == "unchanged" else 201, answer)


@router.get("/versions", auth=_AUTH, response={200: VersionsSchema, **_PROBLEMS}, summary="Versions, newest first")
def get_versions(request: HttpRequest) -> dict[str, Any]:
    """The newest hundred: who put which policy in force when, and why."""
    versions = policy_versions(company_id=request.auth.company_id)  # type: ignore[attr-defined]
    return {"versions": [_said(each) for each in versions]}


@router.get("/schema.json", summary="JSON Schema of a policy")
def get_policy_schema(request: HttpRequest) -> dict[str, Any]:  # noqa: ARG001 -- ninja passes it by name
    """The schema; needs no token."""
    return policy_schema()


def _said(stored: VersionNote) -> dict[str, Any]:
    return {
        "version": stored.version,
        "name": stored.name,
        "digest": stored.digest,
        "actor": stored.actor,
        "because": stored.because,
        "created_at": stored.created_at.isoformat(),
    }


def _with_lines(invalid: InvalidPolicy, text: str) -> list[FieldProblem]:
    lines, problems = Lines(text), []
    for each in invalid.problems:
        line = lines.line_of(each.path)
        problems.append(FieldProblem(each.path, each.message if line is None else f"{each.message} (line {line})"))
    return problems
