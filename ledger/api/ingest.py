"""`POST /events/ingest`: the founding contract, amounts in dollars and the answer in two words."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from ledger.api.auth import Recorder, recognise
from ledger.api.body import JSON
from ledger.api.bulk_items import not_json
from ledger.api.problems import DATABASE_AWAY, Problem, invalid, unexpected
from ledger.api.recorded import answer_recorder
from ledger.domain.event import EventDraft, parse_event
from ledger.domain.outcome import CONFLICT, RECORDED, REJECTED
from ledger.domain.problems import FieldProblem, InvalidEvent
from ledger.domain.strict_json import InvalidJson, parse_json
from ledger.services.record import record_one

CURRENCY = "USD"
FIELDS = frozenset({"source", "event_type", "amount_usd", "occurred_at", "metadata"})
EVENT_TYPES = ("adjustment", "credit", "expense", "income")


@csrf_exempt
def ingest(request: HttpRequest) -> HttpResponse:
    """201 `accepted` for a new event, 200 `duplicate` for a repeat, with the event's id."""
    if request.method != "POST":
        return Problem(405, f"{request.method} is not allowed here.", headers={"Allow": "POST"}).response()
    return post_founding_event(request)


def post_founding_event(request: HttpRequest) -> HttpResponse:
    """Answer a POST."""
    try:
        return answer_recorder(request, recognise(request), _accept)
    except Problem as problem:
        return problem.response()
    except DATABASE_AWAY as error:
        return unexpected(request, error)


def _accept(body: bytes, recorder: Recorder, now: datetime) -> HttpResponse:
    try:
        draft = _draft(parse_json(body), now)
    except InvalidJson as error:
        raise not_json(str(error)) from None
    except InvalidEvent as error:
        raise invalid(error) from None
    identity = recorder.identity
    outcome, _ = record_one(
        company_id=identity.company_id, draft=draft, actor=identity.actor, now=now, books=recorder.books
    )
    if outcome.status in {REJECTED, CONFLICT}:
        status = 422 if outcome.status == REJECTED else 409
        raise Problem(status, "The event is refused.", errors=_founding_names(outcome.problems))
    new = outcome.status == RECORDED
    answer = {"status": "accepted" if new else "duplicate", "event_id": outcome.event_id}
    return HttpResponse(json.dumps(answer), status=201 if new else 200, content_type=JSON)


def _draft(raw: Any, now: datetime) -> EventDraft:
    """Translate the founding contract into an event and read that, so that both obey the same rules."""
    if not isinstance(raw, Mapping):
        return parse_event(raw, now=now)
    problems = [FieldProblem(str(name), "is not a field of this endpoint") for name in raw if name not in FIELDS]
    event = {name: value for name, value in raw.items() if name in FIELDS}
    if "amount_usd" in event:
        event["amount"] = event.pop("amount_usd")
    if event.get("event_type") == "transfer":
        # Not in this contract: it knows cash in, cash out, credits and adjustments.
        problems.append(FieldProblem("event_type", f"must be one of {', '.join(EVENT_TYPES)}"))
        event["event_type"] = "expense"
    try:
        draft = parse_event({**event, "currency": CURRENCY}, now=now)
    except InvalidEvent as error:
        raise InvalidEvent((*problems, *_founding_names(error.errors))) from None
    if problems:
        raise InvalidEvent(tuple(problems))
    return draft


def _founding_names(problems: tuple[FieldProblem, ...]) -> tuple[FieldProblem, ...]:
    names = {"amount": "amount_usd", "currency": "amount_usd", "direction": "metadata.direction"}
    return tuple(FieldProblem(names.get(problem.field, problem.field), problem.message) for problem in problems)
