"""`/events`: record one, record many, list."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Query, Router, Schema
from pydantic import AfterValidator, AwareDatetime, Field

from ledger.api.auth import RECORDING, Recorder, TokenAuth, recognise
from ledger.api.body import JSON, NDJSON_TYPES, body_chunks, media_type, whole_body
from ledger.api.bulk import record_array, record_lines
from ledger.api.bulk_items import not_json
from ledger.api.bulk_report import BulkReport
from ledger.api.event_json import event_json
from ledger.api.problems import Problem, ProblemSchema, invalid, unexpected
from ledger.api.recorded import answer_recorder
from ledger.api.replay import HEADER, answer_once
from ledger.api.schemas import BulkAnswer, EventAnswer, EventIn, EventList
from ledger.api.stream_replay import answer_stream_once
from ledger.domain.event import EventDraft, parse_event
from ledger.domain.outcome import CONFLICT, RECORDED, REJECTED
from ledger.domain.problems import InvalidEvent
from ledger.domain.strict_json import InvalidJson, parse_json
from ledger.domain.token import TokenIdentity
from ledger.selectors.journal import DEFAULT_ROWS, MAX_POSITION, MAX_ROWS, EventFilter, list_events
from ledger.services.record import record_one

MAX_ARRAY_BYTES = 32 * 1024 * 1024

router = Router(tags=["events"])

_PROBLEMS = {401: ProblemSchema, 403: ProblemSchema, 413: ProblemSchema, 415: ProblemSchema}
_KEY_HEADER = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "schema": {"type": "string", "maxLength": 255},
    "description": "Replays the stored answer of the first request with this key for 24 hours.",
}


def _json_body(schema: dict, *more_types: str) -> dict:
    content = {kind: {"schema": schema} for kind in (JSON, *more_types)}
    return {"requestBody": {"required": True, "content": content}, "parameters": [_KEY_HEADER]}


@router.post(
    "",
    auth=TokenAuth(RECORDING, recalls=True),
    summary="Record an event",
    response={
        201: EventAnswer,
        200: EventAnswer,
        400: ProblemSchema,
        409: ProblemSchema,
        422: ProblemSchema,
        **_PROBLEMS,
    },
    openapi_extra=_json_body(EventIn.model_json_schema()),
)
def record_event(request: HttpRequest) -> HttpResponse:
    """201 for a new event, 200 when the same is there, 409 when its external_ref is there with other content."""
    return answer_recorder(request, request.auth, _record)  # type: ignore[attr-defined]


def post_event(request: HttpRequest) -> HttpResponse:
    """Answer as `record_event` does, by itself: without the API's routing, which costs more than the event."""
    try:
        return answer_recorder(request, recognise(request), _record)
    except Problem as problem:
        return problem.response()
    except Exception as error:
        return unexpected(request, error)


def _draft(body: bytes, now: datetime) -> EventDraft:
    try:
        return parse_event(parse_json(body), now=now)
    except InvalidJson as error:
        raise not_json(str(error)) from None
    except InvalidEvent as error:
        raise invalid(error) from None


def _record(body: bytes, recorder: Recorder, now: datetime) -> HttpResponse:
    identity = recorder.identity
    outcome, entry = record_one(
        company_id=identity.company_id,
        draft=_draft(body, now),
        actor=identity.actor,
        now=now,
        books=recorder.books,
    )
    if outcome.status == REJECTED or entry is None:
        raise Problem(422, "The event is refused.", errors=outcome.problems)
    if outcome.status == CONFLICT:
        raise Problem(
            409,
            "This external_ref is recorded with other content.",
            errors=outcome.problems,
            extra={"event_id": outcome.event_id},
        )
    answer = f'{{"status": "{outcome.status}", "event_id": "{outcome.event_id}", "event": {event_json(entry)}}}'
    return HttpResponse(answer, status=201 if outcome.status == RECORDED else 200, content_type=JSON)


@router.post(
    "/bulk",
    auth=TokenAuth(RECORDING),
    summary="Record many events",
    response={200: BulkAnswer, 400: ProblemSchema, 409: ProblemSchema, 422: ProblemSchema, **_PROBLEMS},
    openapi_extra=_json_body({"type": "array", "items": EventIn.model_json_schema()}, *sorted(NDJSON_TYPES)),
)
def record_events(request: HttpRequest, results: str = Query("", pattern="^(all)?$")) -> HttpResponse:
    """A JSON array, or one event a line as application/x-ndjson; also in chunks.

    A bad item does not sink the rest.
    """
    identity: TokenIdentity = request.auth  # type: ignore[attr-defined]
    kind = media_type(request, allowed=frozenset({JSON}) | NDJSON_TYPES)
    now = timezone.now()
    with_results = results == "all"

    def lines(chunks: Iterable[bytes]) -> HttpResponse:
        return _answer(record_lines(chunks, identity=identity, now=now, with_results=with_results))

    if kind in NDJSON_TYPES:
        return answer_stream_once(request, identity=identity, chunks=body_chunks(request), now=now, work=lines)
    body = whole_body(request, limit_bytes=MAX_ARRAY_BYTES)

    def work() -> HttpResponse:
        if body.lstrip()[:1] == b"{":
            return lines([body])
        return _answer(record_array(body, identity=identity, now=now, with_results=with_results))

    return answer_once(request, identity=identity, body=body, now=now, work=work)


def _answer(report: BulkReport) -> HttpResponse:
    return HttpResponse(report.json(), content_type=JSON)


def _in_utc(moment: datetime) -> datetime:
    """PostgreSQL takes no offset of 16 hours or more."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("must lie in the years 1 to 9999 of UTC") from None


# PostgreSQL has no NUL in its texts, so nothing can be found by one.
SearchText = Annotated[str, Field(pattern=r"^[^\x00]*$", max_length=255)]
Bound = Annotated[AwareDatetime, AfterValidator(_in_utc)]


class ListQuery(Schema):
    after: Annotated[int, Field(ge=0, le=MAX_POSITION, description="Position after which to begin.")] = 0
    limit: Annotated[int, Field(ge=1, le=MAX_ROWS)] = DEFAULT_ROWS
    source: SearchText | None = None
    event_type: SearchText | None = None
    account: SearchText | None = None
    currency: SearchText | None = None
    external_ref: SearchText | None = None
    occurred_from: Annotated[Bound | None, Field(description="Inclusive.")] = None
    occurred_before: Annotated[Bound | None, Field(description="Exclusive.")] = None


@router.get(
    "",
    auth=TokenAuth("read"),
    summary="List events",
    response={200: EventList, 401: ProblemSchema, 403: ProblemSchema, 422: ProblemSchema},
)
def get_events(request: HttpRequest, query: Query[ListQuery]) -> HttpResponse:
    """Events in the order they were recorded. Follow `next` to the end; what is recorded meanwhile comes last."""
    identity: TokenIdentity = request.auth  # type: ignore[attr-defined]
    where = query.model_dump(exclude={"after", "limit"})
    page = list_events(
        company_id=identity.company_id, after=query.after, limit=query.limit, where=EventFilter(**where)
    )
    events = ", ".join(map(event_json, page.entries))
    following = "null"
    if page.next_after is not None:
        kept = query.model_dump(mode="json", exclude_none=True)
        address = f"{request.path}?{urlencode({**kept, 'after': page.next_after})}"
        following = f'"{address}"'
    return HttpResponse(f'{{"events": [{events}], "next": {following}}}', content_type=JSON)
