"""Webhooks over real HTTP, with a real worker and without Redis."""

import http.client
import json
import time
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from ledger.api import webhooks
from ledger.models.delivery import Delivery
from ledger.providers.generic import sign
from ledger.selectors.journal import journal_position
from tests.conftest import LiveApp
from tests.ledger.api.conftest import problem
from tests.ledger.conftest import open_company
from tests.ledger.providers.stripe_events import SECRET, charge, envelope, signed


def post(
    app: LiveApp, path: str, body: bytes | Iterator[bytes], method: str = "POST", **headers: str
) -> tuple[int, dict]:
    connection = http.client.HTTPConnection(urlsplit(app.url).netloc, timeout=30)
    named = {"Content-Type": "application/json"} | {name.replace("_", "-"): text for name, text in headers.items()}
    chunked = not isinstance(body, bytes)
    if chunked:
        named["Transfer-Encoding"] = "chunked"
    connection.request(method, path, body=body, headers=named, encode_chunked=chunked)
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer


def make(provider: str, *options: str) -> dict:
    out = StringIO()
    call_command("create_endpoint", "acme", f"--provider={provider}", *options, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_a_worker_turns_a_delivery_into_an_event(live_app: LiveApp, start_worker: Callable) -> None:
    company = open_company()
    path = make("stripe", f"--secret={SECRET}")["path"]
    raw = envelope("charge.succeeded", charge())
    header = signed(raw, int(time.time()))
    start_worker("imports")
    assert post(live_app, path, raw, Stripe_Signature=header, Cookie="a=b")[0] == 200
    assert post(live_app, path, iter([raw[:40], raw[40:]]), Stripe_Signature=header)[0] == 200
    deadline = time.monotonic() + 40
    while Delivery.objects.filter(state="done").count() < 2 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert sorted(Delivery.objects.values_list("state", "recorded", "duplicate")) == [
        ("done", 0, 1),
        ("done", 1, 0),
    ]
    assert journal_position(company_id=company.id) == 1
    assert bytes(Delivery.objects.first().body) == raw
    assert set(Delivery.objects.first().headers) <= {"stripe-signature", "content-type", "user-agent"}


def test_what_is_not_a_delivery_gets_a_problem_document(live_app: LiveApp) -> None:
    open_company()
    path = make("stripe", f"--secret={SECRET}")["path"]
    raw = envelope("charge.succeeded", charge())
    header = signed(raw, int(time.time()))
    assert post(live_app, path + "x", raw, Stripe_Signature=header)[0] == 404
    assert post(live_app, path.replace("stripe", "generic"), raw, Stripe_Signature=header)[0] == 404
    assert post(live_app, path.replace("stripe", "nobody"), raw, Stripe_Signature=header)[0] == 404
    assert post(live_app, path[:-3] + "%00", raw, Stripe_Signature=header)[0] == 404
    assert post(live_app, path, b"", method="GET")[0] == 405
    assert post(live_app, path, raw, Content_Type="text/xml", Stripe_Signature=header)[0] == 415
    assert post(live_app, path, raw)[0] == 400
    status, problem = post(live_app, path, raw, Stripe_Signature=signed(raw, int(time.time()) + 400))
    assert (status, problem["status"]) == (400, 400)
    assert "300 seconds" in problem["detail"]
    assert post(live_app, path, iter([b" " * 300_000] * 4), Stripe_Signature=header)[0] == 413
    assert set(Delivery.objects.values_list("state", flat=True)) == {"refused"}


def test_a_signed_event_of_any_system_is_recorded_by_a_replay_without_a_worker(live_app: LiveApp) -> None:
    company = open_company()
    made = make("generic")
    event = {
        "source": "erp",
        "event_type": "income",
        "amount": "12.00",
        "currency": "USD",
        "occurred_at": "2026-06-01T14:00:00Z",
        "external_ref": "invoice-1",
    }
    raw = json.dumps(event).encode()
    header = sign(raw=raw, secret=made["secret"], at=int(time.time()))
    assert post(live_app, made["path"], raw, Capstack_Signature=header)[0] == 200
    assert post(live_app, made["path"], raw + b" ", Capstack_Signature=header)[0] == 400
    assert journal_position(company_id=company.id) == 0
    for _ in range(2):
        out = StringIO()
        call_command("replay_deliveries", "--company=acme", "--state=waiting", "--json", stdout=out)
    assert json.loads(out.getvalue())["replayed"] == 0
    assert journal_position(company_id=company.id) == 1


def test_without_redis_a_delivery_is_kept_and_the_sweeper_finds_it(
    committed_db: str, client, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ledger.services.deliveries import waiting_deliveries

    open_company()
    path = make("stripe", f"--secret={SECRET}")["path"]
    settings.REDIS_QUEUE_URL = "redis://127.0.0.1:1/0"
    raw = envelope("charge.succeeded", charge())
    response = client.post(
        path, raw, content_type="application/json", headers={"stripe-signature": signed(raw, int(time.time()))}
    )
    assert response.status_code == 200
    assert waiting_deliveries(now=timezone.now()) == [response.json()["delivery"]]


def test_without_a_database_a_provider_is_asked_to_come_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(webhooks, "open_endpoint", fail)
    response = client.post("/webhooks/generic/abc", "{}", content_type="application/json")
    problem(response, 503)
    assert response.headers["Retry-After"] == "1"
