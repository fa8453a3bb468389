"""The door for single events answers as the long way does, whatever comes."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, transaction
from django.http import HttpResponse
from django.test import Client, override_settings
from prometheus_client import REGISTRY

from capstack import recording_door
from ledger.api import events, ingest
from ledger.domain.company import CompanyRef
from ledger.services.known_callers import _callers
from ledger.services.tokens import create_token
from tests.ledger.conftest import NOW, open_company

pytestmark = pytest.mark.django_db

DOOR = "capstack.recording_door.RecordingDoor"
LONG_WAY = [name for name in settings.MIDDLEWARE if name != DOOR]
EVENTS, INGEST = "/api/v1/events", "/events/ingest"
COFFEE = {
    "source": "card",
    "event_type": "expense",
    "amount": "4.50",
    "currency": "EUR",
    "occurred_at": "2026-06-01T10:00:00Z",
    "external_ref": "txn_1",
}
FOUNDING = {"source": "a", "event_type": "income", "amount_usd": 3, "occurred_at": "2026-06-02T00:00:00Z"}
JSON = {"content_type": "application/json"}


@pytest.fixture
def company(db: None) -> Iterator[CompanyRef]:
    _callers.clear()
    yield open_company()
    _callers.clear()


@pytest.fixture
def token(company: CompanyRef) -> str:
    return create_token(company_id=company.id, name="ci", scopes=["ingest", "read"], now=NOW)


def both_ways(ask: Callable[[Client], HttpResponse]) -> tuple[Any, Any]:
    """Ask the same twice of the same ledger: through the door, and with the door walled up."""
    return seen(ask, settings.MIDDLEWARE), seen(ask, LONG_WAY)


def seen(ask: Callable[[Client], HttpResponse], middleware: list[str]) -> Any:
    _callers.clear()
    with override_settings(MIDDLEWARE=middleware), transaction.atomic():
        response = ask(Client(raise_request_exception=False))
        transaction.set_rollback(True)
    headers = {name: value for name, value in response.headers.items() if name != "X-Request-ID"}
    assert re.fullmatch("[0-9a-f]{32}", response.headers["X-Request-ID"])
    # The clock differs between the two.
    content = re.sub(rb'"recorded_at": "[^"]*"', b"", response.content)
    if "Content-Length" in headers:
        assert headers["Content-Length"] == str(len(response.content))
        headers["Content-Length"] = str(len(content))
    return response.status_code, headers, content


def same(ask: Callable[[Client], HttpResponse]) -> tuple[int, dict[str, str], bytes]:
    door, long_way = both_ways(ask)
    assert door == long_way
    return door


@pytest.mark.parametrize(("path", "body"), [(EVENTS, COFFEE), (INGEST, FOUNDING)])
def test_a_new_event_and_its_repeat_get_the_same_answers(token: str, path: str, body: dict) -> None:
    headers = {"Authorization": f"Bearer {token}"}

    def ask(client: Client) -> HttpResponse:
        return client.post(path, body, headers=headers, **JSON)

    def ask_again(client: Client) -> HttpResponse:
        ask(client)
        return ask(client)

    status, sent, _ = same(ask)
    assert status == 201
    assert sent["Content-Security-Policy"].startswith("default-src 'none'")
    assert (sent["X-Content-Type-Options"], sent["X-Frame-Options"]) == ("nosniff", "DENY")
    assert same(ask_again)[0] == 200


@pytest.mark.parametrize("path", [EVENTS, INGEST])
@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (COFFEE, {"Authorization": "Bearer wrong"}, 401),
        (COFFEE, {"Authorization": ""}, 401),
        ("{", {}, 400),
        ({}, {}, 422),
        ({**COFFEE, "metadata": "x" * 70_000}, {}, 413),
        (COFFEE, {"Content-Encoding": "gzip"}, 415),
        (COFFEE, {"Host": "somebody.else"}, 400),
        (COFFEE, {"Host": "bad host"}, 400),
        (COFFEE, {"Idempotency-Key": "a b"}, 400),
    ],
)
def test_a_refusal_is_the_same(token: str, path: str, body: Any, headers: dict, status: int) -> None:
    stated = {"Authorization": f"Bearer {token}", **headers}
    answer = same(lambda client: client.post(path, body, headers=stated, **JSON))
    assert answer[0] == status
    assert answer[1]["Content-Type"] == "application/problem+json"


def test_a_conflict_and_a_replayed_answer_are_the_same(token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}

    def conflict(client: Client) -> HttpResponse:
        client.post(EVENTS, COFFEE, headers=headers, **JSON)
        return client.post(EVENTS, {**COFFEE, "amount": "5"}, headers=headers, **JSON)

    def replay(client: Client) -> HttpResponse:
        for _ in range(2):
            response = client.post(EVENTS, COFFEE, headers={**headers, "Idempotency-Key": "k"}, **JSON)
        return response

    assert same(conflict)[0] == 409
    status, sent, _ = same(replay)
    assert (status, sent["Idempotent-Replayed"]) == (201, "true")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", [EVENTS, INGEST])
def test_other_methods_go_the_long_way(token: str, method: str, path: str) -> None:
    same(lambda client: client.generic(method, path, headers={"Authorization": f"Bearer {token}"}))


def test_plain_http_is_redirected_and_https_is_told_to_stay(token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    with override_settings(SECURE_SSL_REDIRECT=True, SECURE_HSTS_SECONDS=60):
        assert same(lambda client: client.post(EVENTS, COFFEE, headers=headers, **JSON))[0] == 301
        status, sent, _ = same(lambda client: client.post(EVENTS, COFFEE, headers=headers, secure=True, **JSON))
        assert (status, sent["Strict-Transport-Security"]) == (201, "max-age=60")


@pytest.mark.parametrize(("path", "body"), [(EVENTS, COFFEE), (INGEST, FOUNDING)])
def test_a_failure_of_ours_is_logged_and_tells_nothing(
    token: str, path: str, body: dict, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("the secret of the house")

    for module in (events, ingest):
        monkeypatch.setattr(module, "record_one", fail)
    headers = {"Authorization": f"Bearer {token}"}
    status, _, content = same(lambda client: client.post(path, body, headers=headers, **JSON))
    assert status == 500
    assert b"secret" not in content
    assert "the secret of the house" in caplog.text


def test_it_is_measured_by_its_route_like_every_request(token: str) -> None:
    def count() -> float:
        labels = {"method": "POST", "route": "api/v1/events", "status": "201"}
        return REGISTRY.get_sample_value("http_request_duration_seconds_count", labels) or 0.0

    before = count()
    assert seen_status(token) == 201
    assert count() == before + 1


def test_single_events_take_the_door(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> HttpResponse:
        return HttpResponse(status=418)

    monkeypatch.setattr(recording_door, "post_event", fail)
    assert seen_status(token) == 418


def seen_status(token: str) -> int:
    with override_settings(MIDDLEWARE=list(settings.MIDDLEWARE)):
        headers = {"Authorization": f"Bearer {token}"}
        return Client().post(EVENTS, json.dumps(COFFEE), headers=headers, **JSON).status_code


@pytest.mark.parametrize(("path", "body"), [(EVENTS, COFFEE), (INGEST, FOUNDING)])
def test_a_database_that_went_away_is_a_503_that_says_when_to_ask_again(
    token: str, path: str, body: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    for module in (events, ingest):
        monkeypatch.setattr(module, "record_one", fail)
    headers = {"Authorization": f"Bearer {token}"}
    status, sent, content = same(lambda client: client.post(path, body, headers=headers, **JSON))
    assert (status, sent["Retry-After"]) == (503, "1")
    assert b"unexpectedly" not in content
