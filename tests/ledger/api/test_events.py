"""`/api/v1/events`: one event in, the journal out, every refusal a problem document."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from ledger.domain.company import CompanyRef
from ledger.selectors.journal import journal_position
from ledger.services.tokens import create_token
from tests.ledger.api.conftest import BULK, EVENTS, INGEST, ApiClient, problem
from tests.ledger.conftest import NOW, open_company

pytestmark = pytest.mark.django_db

COFFEE: dict[str, Any] = {
    "source": "card",
    "event_type": "expense",
    "amount": "4.50",
    "currency": "USD",
    "occurred_at": "2026-06-01T10:00:00-04:00",
    "external_ref": "txn_1",
    "metadata": {"merchant": "Blue ☕", "rate": 1},
}


def test_it_records_and_says_what_it_recorded(api: ApiClient) -> None:
    response = api.post(EVENTS, COFFEE)
    answer = json.loads(response.content)
    assert (response.status_code, answer["status"]) == (201, "recorded")
    event = answer["event"]
    assert event["event_id"] == answer["event_id"]
    said = {
        "position": 1,
        "direction": "out",
        "account": "bank",
        "amount": "4.50",
        "base_amount": "4.50",
        "occurred_at": "2026-06-01T14:00:00Z",
    }
    assert {name: event[name] for name in said} == said
    assert event["metadata"] == COFFEE["metadata"]
    assert event["actor"] == "token:ci"


def test_a_repeat_is_200_with_the_same_event(api: ApiClient) -> None:
    first = json.loads(api.post(EVENTS, COFFEE).content)
    response = api.post(EVENTS, {**COFFEE, "category": "coffee"})
    again = json.loads(response.content)
    assert (response.status_code, again["status"]) == (200, "duplicate")
    assert again["event"] == first["event"]


def test_other_content_is_409_naming_the_fields(api: ApiClient) -> None:
    first = json.loads(api.post(EVENTS, COFFEE).content)
    response = api.post(EVENTS, {**COFFEE, "amount": "5"})
    assert set(problem(response, 409)) == {"amount"}
    assert json.loads(response.content)["event_id"] == first["event_id"]


def test_a_number_is_read_digit_for_digit(api: ApiClient) -> None:
    body = json.dumps({**COFFEE, "amount": "@"}).replace('"@"', "12345678901234.123456")
    assert json.loads(api.post(EVENTS, body).content)["event"]["amount"] == "12345678901234.123456"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"occurred_at": "2026-06-01T10:00:00"}, "occurred_at"),
        ({"event_type": "refund"}, "event_type"),
        ({"amount": "0"}, "amount"),
        ({"amount": "-4.50"}, "amount"),
        ({"amount": "4.1234567"}, "amount"),
        ({"amount": "NaN"}, "amount"),
        ({"amount": True}, "amount"),
        ({"currency": "XYZ"}, "currency"),
        ({"currency": "XOF"}, "currency"),
        ({"colour": "red"}, "colour"),
        ({"account": "somebody-elses"}, "account"),
        ({"source": None}, "source"),
    ],
)
def test_it_refuses_with_422_naming_the_field(
    api: ApiClient, company: CompanyRef, changes: dict, field: str
) -> None:
    assert set(problem(api.post(EVENTS, {**COFFEE, **changes}), 422)) == {field}
    assert journal_position(company_id=company.id) == 0


@pytest.mark.parametrize("body", ["", "{", '{"amount": NaN}', b"\xff", "[" * 60_000])
def test_it_refuses_what_is_not_json_with_400(api: ApiClient, body: Any) -> None:
    assert set(problem(api.post(EVENTS, body), 400)) == {"body"}


def test_it_refuses_a_field_stated_twice(api: ApiClient) -> None:
    assert problem(api.post(EVENTS, '{"amount": 1, "amount": 2}'), 422) == {"amount": "is stated twice"}


def test_it_refuses_a_large_body_with_413(api: ApiClient) -> None:
    refused = problem(api.post(EVENTS, {**COFFEE, "metadata": "x" * 70_000}), 413)
    assert refused == {"body": "is larger than 64 KB"}


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 201),
        ("application/json; charset=UTF-8", 201),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/json; charset=latin-1", 415),
        ("application/x-ndjson", 415),
    ],
)
def test_it_reads_json_and_nothing_else(api: ApiClient, content_type: str, status: int) -> None:
    response = api.post(EVENTS, COFFEE, content_type=content_type)
    assert response.status_code == status
    if status == 415:
        problem(response, 415)


def test_it_refuses_a_compressed_body(api: ApiClient) -> None:
    problem(api.post(EVENTS, COFFEE, **{"Content-Encoding": "gzip"}), 415)


# --- Who may ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer wrong", "Basic dXNlcjpwYXNz", "Bearer " + "x" * 43]
)
def test_without_a_valid_token_it_is_401_and_says_how(db: None, authorization: str) -> None:
    client = ApiClient(None)
    for path in (EVENTS, BULK, INGEST):
        response = client.post(path, COFFEE, Authorization=authorization)
        problem(response, 401)
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_without_the_scope_it_is_403_naming_it(client_with: Callable[..., ApiClient]) -> None:
    reader, recorder = client_with("read", "policy"), client_with("ingest", "policy")
    for path in (EVENTS, BULK, INGEST):
        response = reader.post(path, COFFEE)
        problem(response, 403)
        assert "ingest" in json.loads(response.content)["detail"]
    problem(recorder.get(EVENTS), 403)


def test_a_token_reaches_its_own_company_only(api: ApiClient) -> None:
    api.post(EVENTS, COFFEE)
    stranger = open_company("globex")
    other = ApiClient(create_token(company_id=stranger.id, name="x", scopes=["read", "ingest"], now=NOW))
    assert json.loads(other.get(EVENTS).content) == {"events": [], "next": None}
    assert other.post(EVENTS, COFFEE).status_code == 201
    assert journal_position(company_id=stranger.id) == 1


# --- Reading ----------------------------------------------------------------------------------------------


def test_pages_are_linked(api: ApiClient) -> None:
    api.post(BULK, [{**COFFEE, "external_ref": f"{n}"} for n in range(5)])
    path, seen = f"{EVENTS}?limit=2&source=card", []
    while path:
        page = json.loads(api.get(path).content)
        seen += [event["external_ref"] for event in page["events"]]
        path = page["next"]
    assert seen == ["0", "1", "2", "3", "4"]


def test_it_lists_what_is_asked_for(api: ApiClient) -> None:
    api.post(
        BULK, [{**COFFEE, "external_ref": f"{n}", "occurred_at": f"2026-05-0{n + 1}T00:00:00Z"} for n in range(5)]
    )
    # An offset that PostgreSQL would not take.
    query = {"occurred_from": "2026-05-02T00:00:00Z", "occurred_before": "2026-05-04T23:59:00+23:59"}
    page = json.loads(api.get(EVENTS, **query).content)
    assert [event["external_ref"] for event in page["events"]] == ["1", "2"]


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"limit": 1001},
        {"after": -1},
        {"after": "x"},
        {"after": 2**63 - 1},
        {"occurred_from": "2026-05-02T00:00:00"},
        {"occurred_from": "0001-01-01T00:00:00+14:00"},
    ],
)
def test_it_refuses_a_senseless_question(api: ApiClient, query: dict) -> None:
    assert set(problem(api.get(EVENTS, **query), 422)) == set(query)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("PUT", EVENTS, 405), ("DELETE", BULK, 405), ("GET", INGEST, 405), ("GET", "/api/v1/nothing", 404)],
)
def test_other_methods_and_addresses_are_problems_too(api: ApiClient, method: str, path: str, status: int) -> None:
    response = api.request(method, path)
    problem(response, status)
    assert ("Allow" in response.headers) == (status == 405)


def test_the_document_describes_bodies_and_answers(api: ApiClient) -> None:
    document = json.loads(api.get("/api/v1/openapi.json").content)
    one = document["paths"]["/api/v1/events"]["post"]
    assert "amount" in one["requestBody"]["content"]["application/json"]["schema"]["properties"]
    assert set(one["responses"]) >= {"200", "201", "400", "401", "403", "409", "413", "415", "422"}
    assert "application/x-ndjson" in document["paths"]["/api/v1/events/bulk"]["post"]["requestBody"]["content"]
    assert one["security"] == [{"TokenAuth": []}]


# --- Idempotency-Key --------------------------------------------------------------------------------------


def test_a_key_replays_the_first_answer(api: ApiClient) -> None:
    first = api.post(EVENTS, COFFEE, **{"Idempotency-Key": "k1"})
    second = api.post(EVENTS, COFFEE, **{"Idempotency-Key": "k1"})
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert second.headers["Idempotent-Replayed"] == "true"
    assert api.post(EVENTS, COFFEE).status_code == 200


def test_a_key_replays_a_refusal_too(api: ApiClient) -> None:
    bad = {**COFFEE, "amount": "-1"}
    first = api.post(EVENTS, bad, **{"Idempotency-Key": "k1"})
    second = api.post(EVENTS, bad, **{"Idempotency-Key": "k1"})
    assert problem(first, 422) == problem(second, 422)
    assert second.headers["Idempotent-Replayed"] == "true"


def test_a_key_with_another_body_or_address_is_422(api: ApiClient) -> None:
    api.post(EVENTS, COFFEE, **{"Idempotency-Key": "k1"})
    for path, body in ((EVENTS, {**COFFEE, "external_ref": "2"}), (BULK, COFFEE)):
        assert set(problem(api.post(path, body, **{"Idempotency-Key": "k1"}), 422)) == {"Idempotency-Key"}


def test_a_key_belongs_to_its_token(api: ApiClient, client_with: Callable[..., ApiClient]) -> None:
    api.post(EVENTS, COFFEE, **{"Idempotency-Key": "k1"})
    response = client_with("ingest").post(EVENTS, {**COFFEE, "external_ref": "2"}, **{"Idempotency-Key": "k1"})
    assert response.status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "é", "a b"])
def test_it_refuses_a_key_that_is_none(api: ApiClient, key: str) -> None:
    assert set(problem(api.post(EVENTS, COFFEE, **{"Idempotency-Key": key}), 400)) == {"Idempotency-Key"}


@pytest.mark.parametrize("field", ["source", "event_type", "account", "currency", "external_ref"])
def test_it_refuses_to_look_for_a_nul(api: ApiClient, field: str) -> None:
    assert set(problem(api.get(f"{EVENTS}?{field}=a%00b"), 422)) == {field}
