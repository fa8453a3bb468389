"""`POST /events/ingest`: the founding contract."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ledger.models.event import CapitalEvent
from tests.ledger.api.conftest import INGEST, ApiClient, problem

pytestmark = pytest.mark.django_db

EXPENSE: dict[str, Any] = {
    "source": "stripe",
    "event_type": "expense",
    "amount_usd": 12.5,
    "occurred_at": "2026-06-01T10:00:00Z",
    "metadata": "subscription",
}


def test_it_accepts_and_then_recognises(api: ApiClient) -> None:
    first, second = api.post(INGEST, EXPENSE), api.post(INGEST, EXPENSE)
    assert (first.status_code, json.loads(first.content)["status"]) == (201, "accepted")
    assert (second.status_code, json.loads(second.content)["status"]) == (200, "duplicate")
    assert json.loads(first.content)["event_id"] == json.loads(second.content)["event_id"]
    event = CapitalEvent.objects.get()
    assert (str(event.amount), event.currency, event.metadata) == ("12.500000", "USD", "subscription")


def test_a_retry_with_another_header_is_still_a_duplicate(api: ApiClient) -> None:
    """The first version counted a Stripe retry twice, because it carried another idempotency header."""
    api.post(INGEST, EXPENSE, **{"Idempotency-Key": "a", "Stripe-Signature": "t=1"})
    response = api.post(INGEST, EXPENSE, **{"Idempotency-Key": "b", "Stripe-Signature": "t=2"})
    assert (response.status_code, CapitalEvent.objects.count()) == (200, 1)


def test_time_is_now_when_absent(api: ApiClient) -> None:
    body = {name: EXPENSE[name] for name in ("source", "event_type", "amount_usd")}
    assert api.post(INGEST, body).status_code == 201
    assert abs((CapitalEvent.objects.get().occurred_at - datetime.now(UTC)).total_seconds()) < 60


@pytest.mark.parametrize("event_type", ["expense", "income", "credit", "adjustment"])
def test_it_takes_the_four_founding_types(api: ApiClient, event_type: str) -> None:
    metadata = {"direction": "out"} if event_type == "adjustment" else "text"
    assert api.post(INGEST, {**EXPENSE, "event_type": event_type, "metadata": metadata}).status_code == 201


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"amount_usd": -1}, {"amount_usd"}),
        ({"amount_usd": 0}, {"amount_usd"}),
        ({"amount_usd": None}, {"amount_usd"}),
        ({"amount": "1"}, {"amount"}),
        ({"currency": "EUR"}, {"currency"}),
        ({"event_type": "transfer"}, {"event_type"}),
        ({"event_type": "adjustment"}, {"metadata.direction"}),
        ({"occurred_at": "2026-06-01T10:00:00"}, {"occurred_at"}),
        ({"external_ref": "x", "amount_usd": "x"}, {"external_ref", "amount_usd"}),
    ],
)
def test_it_refuses_naming_the_fields_of_its_own_contract(api: ApiClient, changes: dict, fields: set[str]) -> None:
    assert set(problem(api.post(INGEST, {**EXPENSE, **changes}), 422)) == fields


def test_it_refuses_what_is_no_object(api: ApiClient) -> None:
    problem(api.post(INGEST, [EXPENSE]), 422)
    problem(api.post(INGEST, "{"), 400)
    problem(api.post(INGEST, EXPENSE, content_type="text/plain"), 415)
