"""The API as a whole: one document, one shape of errors, whatever is asked."""

import json

import pytest


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
