"""The Idempotency-Key header: a repeated request gets the answer that its first one got."""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from ledger.api.problems import Problem
from ledger.domain.problems import FieldProblem
from ledger.domain.token import TokenIdentity
from ledger.services.answers import (
    SIGN_OF_LIFE,
    UNKNOWN,
    Answer,
    KeyReused,
    StillAtWork,
    claim_key,
    claim_key_of_stream,
    keep_answer,
    keep_answer_to_stream,
    release_key,
    still_at_work,
)

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
    key = _stated_key(request)
    if key is None:
        return work()
    digest = _begun_digest(request)
    digest.update(body)
    holder = {"token_id": identity.token_id, "key": key, "body_sha256": digest.digest()}
    try:
        stored = claim_key(**holder, now=now)
    except KeyReused:
        raise _reused() from None
    except StillAtWork:
        raise _at_work() from None
    if stored is not None:
        return _replayed(stored)
    try:
        response = _answered(work)
    except BaseException:
        release_key(**holder)
        raise
    if response.status_code >= 500:
        release_key(**holder)
    else:
        keep_answer(**holder, answer=_kept(response))
    return response


def answer_stream_once(
    request: HttpRequest,
    *,
    identity: TokenIdentity,
    chunks: Iterable[bytes],
    now: datetime,
    work: Callable[[Iterable[bytes]], HttpResponse],
) -> HttpResponse:
    """Return what `work` answers to a stream, or the answer stored under the request's key.

    The stream is never held: it is digested as it passes. A repeated one is read to its end before it is
    answered, because only then is it known to be the same.

    Raises:
        Problem: as `answer_once`.
    """
    key = _stated_key(request)
    if key is None:
        return work(chunks)
    digest = _begun_digest(request)
    holder: dict[str, Any] = {"token_id": identity.token_id, "key": key}
    try:
        stored = claim_key_of_stream(**holder, now=now)
    except StillAtWork:
        raise _at_work() from None
    if stored is not None:
        for chunk in chunks:
            digest.update(chunk)
        if digest.digest() != stored[0]:
            raise _reused()
        return _replayed(stored[1])
    passing = _passing(chunks, digest, lambda at: still_at_work(**holder, now=at))
    try:
        response = _answered(lambda: work(passing))
        for _ in passing:  # what an early refusal left unread belongs to the request all the same
            pass
    except BaseException:
        release_key(**holder, body_sha256=UNKNOWN)
        raise
    if response.status_code >= 500:
        release_key(**holder, body_sha256=UNKNOWN)
    else:
        keep_answer_to_stream(**holder, body_sha256=digest.digest(), answer=_kept(response))
    return response


def _passing(chunks: Iterable[bytes], digest: Any, live: Callable[[datetime], None]) -> Iterator[bytes]:
    last_sign = timezone.now()
    for chunk in chunks:
        digest.update(chunk)
        at = timezone.now()
        if at - last_sign >= SIGN_OF_LIFE:
            live(at)
            last_sign = at
        yield chunk


def _stated_key(request: HttpRequest) -> str | None:
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is not None and _KEY.fullmatch(key) is None:
        raise Problem(
            400,
            "The idempotency key is refused.",
            errors=(FieldProblem(HEADER, "must have 1 to 255 visible ASCII characters"),),
        )
    return key


def _begun_digest(request: HttpRequest) -> Any:
    return sha256(f"{request.method} {request.get_full_path()}\n".encode())


def _reused() -> Problem:
    return Problem(
        422,
        "The idempotency key belongs to another request.",
        errors=(FieldProblem(HEADER, "was used in the last 24 hours with another body"),),
    )


def _at_work() -> Problem:
    return Problem(
        409, "The first request with this idempotency key is still at work.", headers={"Retry-After": "1"}
    )


def _replayed(stored: Answer) -> HttpResponse:
    return HttpResponse(
        stored.content,
        status=stored.status,
        content_type=stored.content_type,
        headers={"Idempotent-Replayed": "true"},
    )


def _answered(work: Callable[[], HttpResponse]) -> HttpResponse:
    try:
        return work()
    except Problem as problem:
        return problem.response()


def _kept(response: HttpResponse) -> Answer:
    return Answer(response.status_code, response.headers["Content-Type"], response.content)
