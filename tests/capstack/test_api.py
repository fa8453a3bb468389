"""The API as a whole: one document, one shape of errors, whatever is asked."""

import json
import re

import pytest
from django.utils import timezone

from capstack.api import api
from ledger.models.event import CapitalEvent
from ledger.models.token import Scope
from ledger.services.companies import create_company
from ledger.services.tokens import create_token


def problem(response, status: int) -> dict:
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    body = json.loads(response.content)
    assert body["status"] == status
    assert isinstance(body["errors"], list)
    return body


def test_its_document_lists_every_route(client):
    response = client.get("/api/v1/openapi.json")
    assert response.status_code == 200
    paths = set(response.json()["paths"])
    assert {"/api/v1/events", "/api/v1/events/bulk", "/api/v1/runway", "/api/v1/runway/bands"} <= paths
    assert "/api/v1/policy/plans" in paths
    for operations in response.json()["paths"].values():
        for operation in operations.values():
            # Each refuses what it does not know.
            assert set(operation["responses"]["422"]["content"]) == {"application/problem+json"}


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/", "/api/v2/events", "/events/nothing"])
def test_an_unknown_path_is_a_problem_not_a_page(client, path):
    assert problem(client.get(path), 404)["detail"] == f"There is nothing at {path}."


def test_a_wrong_method_says_which_are_right(client):
    response = client.delete("/api/v1/events")
    problem(response, 405)
    assert {method.strip() for method in response["Allow"].split(",")} >= {"GET", "POST"}


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/v1/events", "/api/v1/runway", "/api/v1/policy/plans"])
def test_without_a_token_every_router_answers_401(client, path):
    response = client.get(path)
    problem(response, 401)
    assert response["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.django_db
def test_a_body_that_is_no_json_is_a_problem(client):
    response = client.post("/api/v1/events", data="{", content_type="application/json")
    assert 400 <= response.status_code < 500
    problem(response, response.status_code)


def test_every_answer_carries_a_request_id_and_a_policy(client):
    page = client.get("/sign-in")
    assert len(page["X-Request-ID"]) == 32
    policy = page["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert page["X-Content-Type-Options"] == "nosniff"
    assert page["Referrer-Policy"] == "same-origin"


@pytest.mark.django_db
def test_the_admin_has_the_same_policy(admin_client, client):
    policy = client.get("/sign-in")["Content-Security-Policy"]
    assert admin_client.get("/admin/")["Content-Security-Policy"] == policy


def _token() -> dict[str, str]:
    now = timezone.now()
    company = create_company(slug="acme", name="Acme", currency="USD", timezone="UTC", now=now)
    token = create_token(company_id=company.pk, name="t", scopes=Scope.values, now=now)
    return {"HTTP_AUTHORIZATION": f"Bearer {token}"}


def _operations() -> list[tuple[str, str]]:
    """Every address of the document with a method; numbers stand where a path asks for one."""
    paths = api.get_openapi_schema()["paths"]
    return [(method, re.sub(r"{[^}]*}", "1", path)) for path in sorted(paths) for method in sorted(paths[path])]


@pytest.mark.django_db
def test_no_address_passes_over_a_parameter_that_it_does_not_have(client):
    caller = _token()
    bodies = {
        "policy/cheapest": {"p5": 90},
        "policy/kill-switch": {"on": True, "reason": "r"},
        "policy/prices": {"region": "r", "per_hour": None, "because": "r"},
        "lift": {"reason": "r"},
    }
    required = {
        ("get", "/policy/cheapest"): "&p5=90",
        ("put", "/policy"): "&because=r",
        ("get", "/runway/replay"): "&on=2026-06-01",
    }
    for method, path in _operations():
        asked = required.get((method, path.removeprefix("/api/v1")), "")
        body = next((body for end, body in bodies.items() if path.endswith(end)), {})
        address = f"{path}?bassis=bank{asked}"
        answer = client.generic(method.upper(), address, json.dumps(body), "application/json", **caller)
        fields = [error["field"] for error in problem(answer, 422)["errors"]]
        # What is wrong with a body may be said first.
        assert fields == ["bassis"] or (method != "get" and not body), (method, path, fields)


@pytest.mark.django_db
def test_it_names_the_parameter_and_those_that_there_are(client):
    caller = _token()
    (error,) = problem(client.get("/api/v1/runway?basis=free&horizon=9", **caller), 422)["errors"]
    assert error == {
        "field": "horizon",
        "message": "is not a parameter of this address; there are basis",
    }
    # Also past the door of those who call often, and before anything is recorded.
    event = {"source": "s", "event_type": "expense", "amount": "1", "currency": "USD"}
    answer = client.post("/api/v1/events?dry_run=1", event, content_type="application/json", **caller)
    assert problem(answer, 422)["errors"][0]["field"] == "dry_run"
    assert not CapitalEvent.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "/api/v1/policy/cheapest", {"p5": "soon"}, "p5"),
        ("POST", "/api/v1/policy/cheapest", {"p5": 90, "p50": 1}, "p50"),
        ("POST", "/api/v1/policy/exclusions/1/lift", {}, "reason"),
        ("GET", "/api/v1/policy/plans?limit=many", None, "limit"),
        ("GET", "/api/v1/events?occurred_from=noon", None, "occurred_from"),
        ("GET", "/api/v1/runway?basis=gold", None, "basis"),
    ],
)
def test_a_field_is_called_as_the_sender_wrote_it(client, method, path, body, field):
    caller = _token()
    answer = client.generic(method, path, b"" if body is None else json.dumps(body), "application/json", **caller)
    assert [error["field"] for error in problem(answer, 422)["errors"]] == [field]
