"""The Idempotency-Key header of a stream: recognised without ever being held in memory."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import chain
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from ledger.api.body import CHUNK_BYTES, BodyCutOff, is_chunked
from ledger.api.problems import Problem
from ledger.api.replay import at_work, begun_digest, kept, replayed, reused, stated_key
from ledger.domain.token import TokenIdentity
from ledger.services.answers import (
    SIGN_OF_LIFE,
    AnsweredStream,
    StillAtWork,
    claim_key_of_stream,
    keep_answer_to_stream,
    release_key_of_stream,
    reopen_key_of_stream,
    still_at_work,
)

SPOOL_MEMORY_BYTES = 1 << 20

type Chunks = Iterable[bytes]
type Work = Callable[[Chunks], HttpResponse]


def answer_stream_once(
    request: HttpRequest,
    *,
    identity: TokenIdentity,
    chunks: Chunks,
    now: datetime,
    work: Work,
) -> HttpResponse:
    """Return what `work` answers to a stream, or the answer stored under the request's key.

    A first stream is digested as it passes. One that comes again is read before it is answered, because only then
    is it known to be the same. The server cannot tell a chunked stream that broke off from one that ended: so when
    one comes again that goes on where the first one ended, it is the whole one, and takes the first one's place.

    Raises:
        Problem: 422 when the key came with another request, 409 when that one is still at work, 400 for no key.
    """
    key = stated_key(request)
    if key is None:
        return work(chunks)
    holder: dict[str, Any] = {"token_id": identity.token_id, "key": key}
    digest = begun_digest(request)
    try:
        stored = claim_key_of_stream(**holder, now=now)
        if stored is None:
            return _first_answer(request, holder, chunks, digest, work)
        with SpooledTemporaryFile(max_size=SPOOL_MEMORY_BYTES) as spool:
            rest = _after_the_same(stored, iter(chunks), digest.copy(), spool)
            if rest is None:
                return replayed(stored.answer)
            reopen_key_of_stream(**holder, body_sha256=stored.body_sha256, now=timezone.now())
            spool.seek(0)
            return _first_answer(request, holder, chain(_pieces(spool), rest), digest, work)
    except StillAtWork:
        raise at_work() from None


def _after_the_same(
    stored: AnsweredStream, chunks: Iterator[bytes], digest: Any, spool: IO[bytes]
) -> Chunks | None:
    """Read as far as the answered stream reached; return what follows, None when nothing does.

    Raises:
        Problem: 422 when it is another stream.
    """
    limit = stored.chunked_bytes
    size = 0
    for chunk in chunks:
        same = chunk if limit is None else chunk[: limit - size]
        digest.update(same)
        size += len(same)
        if limit is not None:
            spool.write(same)
        if len(same) < len(chunk):
            if digest.digest() != stored.body_sha256:
                break
            return chain([chunk[len(same) :]], chunks)
    if digest.digest() != stored.body_sha256:
        raise reused()
    return None


def _pieces(spool: IO[bytes]) -> Iterator[bytes]:
    while piece := spool.read(CHUNK_BYTES):
        yield piece


def _first_answer(
    request: HttpRequest,
    holder: dict[str, Any],
    chunks: Chunks,
    digest: Any,
    work: Work,
) -> HttpResponse:
    size = 0
    last_sign = timezone.now()

    def passing() -> Iterator[bytes]:
        nonlocal size, last_sign
        for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
            at = timezone.now()
            if at - last_sign >= SIGN_OF_LIFE:
                still_at_work(**holder, now=at)
                last_sign = at
            yield chunk

    through = passing()

    try:
        try:
            response = work(through)
        except BodyCutOff:  # no answer for good: what came is not what was meant
            raise
        except Problem as problem:
            response = problem.response()
        for _ in through:  # what an early refusal left unread belongs to the request all the same
            pass
    except BaseException:
        release_key_of_stream(**holder)
        raise
    if response.status_code >= 500:
        release_key_of_stream(**holder)
    else:
        keep_answer_to_stream(
            **holder,
            body_sha256=digest.digest(),
            chunked_bytes=size if is_chunked(request) else None,
            answer=kept(response),
        )
    return response
