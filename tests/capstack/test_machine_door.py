"""The door for machines answers as the long way does, whatever comes."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, transaction
from django.http import HttpResponse
from django.test import Client, override_settings
from prometheus_client import REGISTRY

from capstack import machine_door
from forecasting.api import rendered_runway
from forecasting.models.cursor import ForecastCursor
from forecasting.rendered import _answers, forget_all
from forecasting.services.publish import publish_forecast
from ledger.api import events, ingest
from ledger.domain.company import CompanyRef
from ledger.models.token import ApiToken
from ledger.services.known_callers import _callers
from ledger.services.tokens import create_token, revoke_token
from tests.forecasting.small_company import NOW as THEN
from tests.forecasting.small_company import small_company, spend
from tests.ledger.conftest import NOW, open_company

pytestmark = pytest.mark.django_db

DOOR = "capstack.machine_door.MachineDoor"
LONG_WAY = [name for name in settings.MIDDLEWARE if name != DOOR]
EVENTS, INGEST, RUNWAY = "/api/v1/events", "/events/ingest", "/api/v1/runway"
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

    monkeypatch.setattr(machine_door, "post_event", fail)
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


def reads(token: str, query: str = "", **more: Any) -> Callable[[Client], HttpResponse]:
    return lambda client: client.get(RUNWAY + query, headers={"Authorization": f"Bearer {token}"} | more)


@pytest.fixture
def reader() -> Iterator[str]:
    """A token of a company with a forecast."""
    forget_all()
    company = small_company()
    publish_forecast(company_id=company.id, now=THEN)
    yield create_token(company_id=company.id, name="dashboard", scopes=["read"], now=THEN)
    forget_all()


@pytest.mark.parametrize("query", ["", "?basis=free", "?basis=bank"])
def test_the_runway_is_read_the_same_the_first_time_and_every_time_after(reader: str, query: str) -> None:
    first = same(reads(reader, query))
    assert first[0] == 200
    assert json.loads(first[2])["basis"] == (query.partition("=")[2] or "free")
    assert same(reads(reader, query)) == first


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("?basis=gold", {}, 422),
        ("?basis=free&basis=bank", {}, 200),
        ("?more=1", {}, 422),
        ("", {"Authorization": "Bearer wrong"}, 401),
        ("", {"Authorization": ""}, 401),
        ("", {"Host": "somebody.else"}, 400),
    ],
)
def test_the_runway_is_refused_in_the_same_words(reader: str, query: str, headers: dict, status: int) -> None:
    assert seen(reads(reader), settings.MIDDLEWARE)[0] == 200
    assert same(reads(reader, query, **headers))[0] == status


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS"])
def test_the_runway_by_other_methods_goes_the_long_way(reader: str, method: str) -> None:
    same(lambda client: client.generic(method, RUNWAY, headers={"Authorization": f"Bearer {reader}"}))


def test_a_company_without_data_and_a_token_that_may_not_read_get_the_same_answers(token: str) -> None:
    assert same(reads(token))[0] == 409
    company = ApiToken.objects.get().company_id
    assert same(reads(create_token(company_id=company, name="n", scopes=["ingest"], now=NOW)))[0] == 403


def answer(token: str) -> Any:
    return Client().get(RUNWAY, headers={"Authorization": f"Bearer {token}"})


def test_what_was_answered_before_is_answered_again_without_being_made(
    reader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = answer(reader)

    def fail(**_: Any) -> None:
        raise AssertionError("made again")

    monkeypatch.setattr("forecasting.api.runway.forecast_in_force", fail)
    assert answer(reader).content == first.content


def test_an_event_is_counted_as_behind_at_once_and_its_forecast_shown_at_once(reader: str) -> None:
    company = ApiToken.objects.get().company
    assert answer(reader).json()["events_behind"] == 0
    spend(company, "5.00")
    assert answer(reader).json()["events_behind"] == 1
    publish_forecast(company_id=company.pk, now=THEN)
    body = answer(reader).json()
    assert (body["events_behind"], body["run_id"]) == (0, ForecastCursor.objects.get().free_run_id)


def test_a_check_that_finds_nothing_new_is_shown_at_once(reader: str) -> None:
    company_id = ApiToken.objects.get().company_id
    answer(reader)
    later = THEN + timedelta(minutes=5)
    assert not publish_forecast(company_id=company_id, now=later).created
    assert answer(reader).json()["confirmed_at"] == later.isoformat().replace("+00:00", "Z")
    ForecastCursor.objects.update(refusal="no rate")
    assert answer(reader).json()["refusal"] == "no rate"


def test_a_revoked_token_reads_nothing_more_and_another_companys_reads_its_own(reader: str) -> None:
    assert answer(reader).status_code == 200
    stranger = small_company("stranger")
    publish_forecast(company_id=stranger.id, now=THEN)
    theirs = create_token(company_id=stranger.id, name="t", scopes=["read"], now=THEN)
    assert answer(theirs).json()["company"] == "stranger"
    revoke_token(token_id=ApiToken.objects.get(name="dashboard").pk, now=THEN)
    assert answer(reader).status_code == 401
    assert answer(theirs).status_code == 200


def test_an_answer_during_which_the_forecast_moved_on_is_not_kept(
    reader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = ApiToken.objects.get().company
    really = rendered_runway.standing_of

    def moves_on_after(**asked: Any) -> Any:
        standing = really(**asked)
        monkeypatch.setattr(rendered_runway, "standing_of", really)
        spend(company, "5.00")
        return standing

    monkeypatch.setattr(rendered_runway, "standing_of", moves_on_after)
    answer(reader)
    assert _answers == {}
