"""`POST /events/ingest`: the founding contract, amounts in dollars and the answer in two words."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from ledger.api.auth import authenticate
from ledger.api.body import JSON, media_type, whole_body
from ledger.api.bulk_items import not_json
from ledger.api.events import MAX_EVENT_BYTES
from ledger.api.problems import Problem
from ledger.api.replay import answer_once
from ledger.domain.event import EventDraft, parse_event
from ledger.domain.outcome import CONFLICT, RECORDED, REJECTED
from ledger.domain.problems import FieldProblem, InvalidEvent
from ledger.domain.strict_json import InvalidJson, parse_json
from ledger.domain.token import TokenIdentity
from ledger.services.record import record_one

CURRENCY = "USD"
FIELDS = frozenset({"source", "event_type", "amount_usd", "occurred_at", "metadata"})
EVENT_TYPES = ("adjustment", "credit", "expense", "income")


@csrf_exempt
def ingest(request: HttpRequest) -> HttpResponse:
    """201 `accepted` for a new event, 200 `duplicate` for a repeat, with the event's id."""
    try:
        if request.method != "POST":
            raise Problem(405, f"{request.method} is not allowed here.", headers={"Allow": "POST"})
        identity = authenticate(request, scope="ingest")
        media_type(request, allowed=frozenset({JSON}))
        body = whole_body(request, limit_bytes=MAX_EVENT_BYTES)
        now = timezone.now()
        return answer_once(
            request, identity=identity, body=body, now=now, work=lambda: _accept(body, identity, now)
        )
    except Problem as problem:
        return problem.response()


def _accept(body: bytes, identity: TokenIdentity, now: datetime) -> HttpResponse:
    try:
        draft = _draft(parse_json(body), now)
    except InvalidJson as error:
        raise not_json(str(error)) from None
    except InvalidEvent as error:
        problems = tuple(FieldProblem(_founding_name(p.field), p.message) for p in error.errors)
        raise Problem(422, "The event is refused.", errors=problems) from None
    outcome, _ = record_one(company_id=identity.company_id, draft=draft, actor=identity.actor, now=now)
    if outcome.status in {REJECTED, CONFLICT}:
        problems = tuple(FieldProblem(_founding_name(p.field), p.message) for p in outcome.problems)
        raise Problem(422 if outcome.status == REJECTED else 409, "The event is refused.", errors=problems)
    new = outcome.status == RECORDED
    answer = {"status": "accepted" if new else "duplicate", "event_id": outcome.event_id}
    return HttpResponse(json.dumps(answer), status=201 if new else 200, content_type=JSON)


def _founding_name(field: str) -> str:
    return "amount_usd" if field in {"amount", "currency"} else field


def _draft(raw: Any, now: datetime) -> EventDraft:
    if not isinstance(raw, Mapping):
        return parse_event(raw, now=now)
    unknown = tuple(
        FieldProblem(str(name), "is not a field of this endpoint") for name in raw if name not in FIELDS
    )
    event = {name: value for name, value in raw.items() if name in FIELDS - {"amount_usd"}}
    if "amount_usd" in raw:
        event["amount"] = raw["amount_usd"]
    event["currency"] = CURRENCY
    if raw.get("event_type") == "transfer":
        # Not in this contract: it knows cash in, cash out, credits and adjustments.
        wrong_type = FieldProblem("event_type", f"must be one of {', '.join(EVENT_TYPES)}")
        raise InvalidEvent((*unknown, wrong_type))
    try:
        draft = parse_event(event, now=now)
    except InvalidEvent as error:
        raise InvalidEvent((*unknown, *error.errors)) from None
    if unknown:
        raise InvalidEvent(unknown)
    return draft
