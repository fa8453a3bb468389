"""GET and PUT /api/v1/plan, and the published schema."""

import json
from typing import Any

import jsonschema
import pytest
from django.test import Client

from ledger.domain.company import CompanyRef
from ledger.services.tokens import create_token
from tests.forecasting.small_company import NOW, PLAN, small_company

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_redis")]


@pytest.fixture
def company() -> CompanyRef:
    return small_company(plan=None)


def headers(company: CompanyRef, *scopes: str) -> dict[str, str]:
    token = create_token(company_id=company.id, name="finance", scopes=scopes, now=NOW)
    return {"Authorization": f"Bearer {token}"}


def put(company: CompanyRef, document: Any, *scopes: str) -> Any:
    body = document if isinstance(document, (str, bytes)) else json.dumps(document)
    return Client().put(
        "/api/v1/plan", body, content_type="application/json", headers=headers(company, *(scopes or ("ingest",)))
    )


def test_a_plan_that_is_put_can_be_got(company: CompanyRef) -> None:
    answer = put(company, PLAN)
    assert (answer.status_code, answer.json()["version"]) == (201, 1)
    got = Client().get("/api/v1/plan", headers=headers(company, "read")).json()
    assert got["document"] == PLAN
    assert (got["version"], got["actor"], got["as_of"]) == (1, "token:finance", PLAN["as_of"])


def test_the_same_plan_again_changes_nothing(company: CompanyRef) -> None:
    put(company, PLAN)
    again = put(company, PLAN)
    assert (again.status_code, again.json()["status"], again.json()["version"]) == (200, "unchanged", 1)


def test_without_a_plan_there_is_nothing_to_get(company: CompanyRef) -> None:
    assert Client().get("/api/v1/plan", headers=headers(company, "read")).status_code == 404


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (PLAN | {"tranche": []}, "tranche"),
        (PLAN | {"tranches": [PLAN["tranches"][0] | {"probability": 1}]}, "tranches[0].probability"),
        ('{"as_of": "2026-03-31", "as_of": "2026-04-01"}', "$"),
        ("no JSON", "$"),
        ([], "$"),
    ],
    ids=["unknown key", "certain tranche", "key twice", "no JSON", "list"],
)
def test_a_bad_plan_is_refused_with_its_path(company: CompanyRef, document: Any, field: str) -> None:
    answer = put(company, document)
    assert answer.status_code == 422
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert field in {error["field"] for error in answer.json()["errors"]}


def test_scopes_are_asked_for(company: CompanyRef) -> None:
    assert put(company, PLAN, "read").status_code == 403
    assert Client().get("/api/v1/plan", headers=headers(company, "ingest")).status_code == 403
    assert Client().put("/api/v1/plan", "{}", content_type="application/json").status_code == 401


def test_another_media_type_is_refused(company: CompanyRef) -> None:
    answer = Client().put("/api/v1/plan", "a,b", content_type="text/csv", headers=headers(company, "ingest"))
    assert answer.status_code == 415


def test_the_schema_is_public_and_accepts_a_plan() -> None:
    schema = Client().get("/api/v1/plan-schema.json").json()
    jsonschema.Draft202012Validator(schema).validate(PLAN)


def test_the_openapi_document_describes_forecasts_and_plans() -> None:
    paths = Client().get("/api/v1/openapi.json").json()["paths"]
    assert {"/api/v1/runway", "/api/v1/runway/bands", "/api/v1/plan"} <= set(paths)
    assert "409" in paths["/api/v1/runway"]["get"]["responses"]
    assert "tranches" in json.dumps(paths["/api/v1/plan"]["put"]["requestBody"])
