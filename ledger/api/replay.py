"""The Idempotency-Key header: a repeated request gets the answer that its first one got."""

import re
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.http import HttpRequest, HttpResponse

from ledger.api.problems import Problem
from ledger.domain.problems import FieldProblem
from ledger.domain.token import TokenIdentity
from ledger.services.answers import Answer, KeyReused, StillAtWork, claim_key, keep_answer, release_key

HEADER = "Idempotency-Key"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def answer_once(
    request: HttpRequest, *, identity: TokenIdentity, body: bytes, now: datetime, work: Callable[[], HttpResponse]
) -> HttpResponse:
    """Return what `work` answers, or the answer stored under the request's key.

    Without the header the work is simply done. The key replays an answer and nothing else: whether an event is
    new is decided by its content.

    Raises:
        Problem: 422 when the key came with another request, 409 when that one is still at work, 400 for no key.
    """
    key = stated_key(request)
    if key is None:
        return work()
    digest = begun_digest(request)
    digest.update(body)
    holder = {"token_id": identity.token_id, "key": key, "body_sha256": digest.digest()}
    try:
        stored = claim_key(**holder, now=now)
    except KeyReused:
        raise reused() from None
    except StillAtWork:
        raise at_work() from None
    if stored is not None:
        return replayed(stored)
    try:
        response = answered(work)
    except BaseException:
        release_key(**holder)
        raise
    if response.status_code >= 500:
        release_key(**holder)
    else:
        keep_answer(**holder, answer=kept(response))
    return response


def stated_key(request: HttpRequest) -> str | None:
    """Return the request's key, None without one.

    Raises:
        Problem: 400 for what is no key.
    """
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is not None and _KEY.fullmatch(key) is None:
        raise Problem(
            400,
            "The idempotency key is refused.",
            errors=(FieldProblem(HEADER, "must have 1 to 255 visible ASCII characters"),),
        )
    return key


def begun_digest(request: HttpRequest) -> Any:
    """Return the digest of a request, to be updated with its body."""
    return sha256(f"{request.method} {request.get_full_path()}\n".encode())


def reused() -> Problem:
    """Return the refusal of a key that came with another request."""
    return Problem(
        422,
        "The idempotency key belongs to another request.",
        errors=(FieldProblem(HEADER, "was used in the last 24 hours with another body"),),
    )


def at_work() -> Problem:
    """Return the refusal of a request whose twin has no answer yet."""
    return Problem(
        409, "The first request with this idempotency key is still at work.", headers={"Retry-After": "1"}
    )


def replayed(stored: Answer) -> HttpResponse:
    """Return a stored answer."""
    return HttpResponse(
        stored.content,
        status=stored.status,
        content_type=stored.content_type,
        headers={"Idempotent-Replayed": "true"},
    )


def answered(work: Callable[[], HttpResponse]) -> HttpResponse:
    """Return what `work` answers, also where it refuses."""
    try:
        return work()
    except Problem as problem:
        return problem.response()


def kept(response: HttpResponse) -> Answer:
    """Return an answer as it is stored."""
    return Answer(response.status_code, response.headers["Content-Type"], response.content)
