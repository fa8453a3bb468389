"""Errors in one shape: application/problem+json (RFC 9457) with `errors: [{field, message}]`."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, AuthorizationError, HttpError, Throttled, ValidationError

from ledger.api.json_parser import refusal_of
from ledger.domain.problems import FieldProblem, InvalidEvent

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
# The database went away in the middle, or is too busy: whoever asked may ask again.
DATABASE_AWAY = (OperationalError, InterfaceError)
# Paths that machines call; everything else answers people in HTML.
MACHINE_PATHS = ("/api/", "/events/", "/webhooks/")


class FieldError(Schema):
    field: str
    message: str


class ProblemSchema(Schema):
    """An error, for the OpenAPI document."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[FieldError]


class Problem(Exception):
    """An answer that is an error. Raise it in a handler, or return `response()`.

    Attributes:
        detail: one sentence for whoever reads the log of the client.
        errors: what is wrong with which field.
        extra: further members of the answer.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[FieldProblem] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})

    def response(self) -> HttpResponse:
        body = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "errors": [{"field": error.field, "message": error.message} for error in self.errors],
            **self.extra,
        }
        # A field's name is the sender's own word: half a surrogate pair in it must not break the answer.
        content = json.dumps(body, ensure_ascii=False).encode("utf-8", "backslashreplace")
        return HttpResponse(content, status=self.status, content_type=CONTENT_TYPE, headers=self.headers)


def invalid(error: InvalidEvent) -> Problem:
    """Return the refusal of an event."""
    return Problem(422, "The event is refused.", errors=error.errors)


def install(api: NinjaAPI) -> None:
    """Make every error of an API a problem document."""

    def on(kind: type[Exception], answer: Callable[[Any], Problem]) -> None:
        api.add_exception_handler(kind, lambda _request, error: answer(error).response())

    on(Problem, lambda error: error)
    on(InvalidEvent, invalid)
    on(ValidationError, _from_validation)
    on(HttpError, lambda error: Problem(error.status_code, refusal_of(error)))
    on(AuthenticationError, lambda _: unauthorized())
    on(AuthorizationError, lambda error: Problem(403, error.message))
    on(Throttled, lambda error: Problem(429, "Too many requests.", headers=_retry_after(error)))
    on(Http404, lambda error: Problem(404, str(error) or "There is nothing here."))
    # Where ninja reads the body itself; what reads it by `ledger.api.body` has limits of its own.
    on(RequestDataTooBig, lambda _: Problem(413, "The body is larger than this address takes."))
    api.add_exception_handler(Exception, unexpected)


def unauthorized() -> Problem:
    """Return the refusal of a request that does not say who it is."""
    return Problem(
        401,
        "A valid token is needed: Authorization: Bearer <token>.",
        headers={"WWW-Authenticate": 'Bearer realm="capstack"'},
    )


def _retry_after(error: Throttled) -> dict[str, str]:
    return {"Retry-After": str(int(error.wait) + 1)} if error.wait else {}


def _from_validation(error: ValidationError) -> Problem:
    """Translate pydantic's list: the place without `body` or `query` in front, the message as a sentence."""
    problems = [
        FieldProblem(
            ".".join(str(part) for part in found["loc"][1:]),
            str(found["msg"]).removeprefix("Value error, "),
        )
        for found in error.errors
    ]
    return Problem(422, "The request is refused.", errors=problems)


def unexpected(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    """Log a failure of ours and return its answer, which tells a stranger nothing."""
    if isinstance(error, DATABASE_AWAY):
        logger.error("database away in %s %s: %s", request.method, request.path, error)
        return Problem(503, "The database does not answer; ask again.", headers={"Retry-After": "1"}).response()
    failure = error if isinstance(error, Exception) else None
    logger.error("unexpected error in %s %s", request.method, request.path, exc_info=failure)
    return Problem(500, "Something went wrong here; it is logged.").response()


def problem_documents(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: what Django itself answers on a machine's path (404, 405, 400, 500) becomes a problem too."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if (
            response.status_code < 400
            or response.headers.get("Content-Type", "").startswith(CONTENT_TYPE)
            or not request.path.startswith(MACHINE_PATHS)
        ):
            return response
        kept = {name: response.headers[name] for name in ("Allow", "Retry-After") if name in response.headers}
        return Problem(response.status_code, _sentence(request, response.status_code), headers=kept).response()

    return middleware


def _sentence(request: HttpRequest, status: int) -> str:
    sentences = {
        404: f"There is nothing at {request.path}.",
        405: f"{request.method} is not allowed here.",
        413: "The request is too large.",
        500: "Something went wrong here; it is logged.",
    }
    return sentences.get(status, "The request is refused.")
