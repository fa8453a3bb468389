"""Reading what a request carries, however it is sent, up to a limit."""

from collections.abc import Iterator
from email.message import Message

from django.http import HttpRequest

from ledger.api.problems import Problem
from ledger.domain.problems import FieldProblem

CHUNK_BYTES = 256 * 1024

JSON = "application/json"
NDJSON_TYPES = frozenset(
    {"application/x-ndjson", "application/ndjson", "application/jsonl", "application/json-lines"}
)


def media_type(request: HttpRequest, *, allowed: frozenset[str]) -> str:
    """Return the request's media type; JSON when it names none.

    Raises:
        Problem: 415 for another type, another character set, or a compressed body.
    """
    encoding = request.META.get("HTTP_CONTENT_ENCODING", "identity").lower()
    if encoding not in {"", "identity"}:
        raise Problem(415, f"A body in {encoding} is not read here; send it as it is.")
    stated = request.META.get("CONTENT_TYPE", "")
    if stated in {"", JSON}:
        return JSON
    header = Message()
    header["Content-Type"] = stated
    kind = header.get_content_type()
    charset = str(header.get_param("charset", "utf-8")).lower()
    if kind not in allowed or charset not in {"utf-8", "utf8", "us-ascii"}:
        raise Problem(415, f"{stated} is not read here; send Content-Type: {' or '.join(sorted(allowed))}.")
    return kind


def body_chunks(request: HttpRequest, *, limit_bytes: int | None = None) -> Iterator[bytes]:
    """Yield the body piece by piece, of any length when there is no limit.

    A chunked request has no Content-Length, and Django reads it as empty; the server's own stream ends where the
    body ends, so it is read directly.

    Raises:
        Problem: 413 as soon as the body is known to be longer than the limit.
        BodyCutOff: it ended before the length it stated.
    """
    stated = request.META.get("CONTENT_LENGTH") or ""
    if limit_bytes is not None and stated.isdigit() and int(stated) > limit_bytes:
        raise _too_large(limit_bytes)
    read = request.META["wsgi.input"].read if is_chunked(request) else request.read
    size = 0
    while chunk := read(CHUNK_BYTES):
        size += len(chunk)
        if limit_bytes is not None and size > limit_bytes:
            raise _too_large(limit_bytes)
        yield chunk
    if stated.isdigit() and size < int(stated):
        raise BodyCutOff(400, f"The body ended after {size} of {stated} bytes.")


def is_chunked(request: HttpRequest) -> bool:
    """Whether the body comes without a stated length, and the server's stream ends where it ends."""
    return not request.META.get("CONTENT_LENGTH") and bool(request.META.get("wsgi.input_terminated"))


class BodyCutOff(Problem):
    """The connection broke while a body was read: what came is not what was meant."""


def whole_body(request: HttpRequest, *, limit_bytes: int) -> bytes:
    """Return the body.

    Raises:
        Problem: 413 when it is longer than the limit.
    """
    return b"".join(body_chunks(request, limit_bytes=limit_bytes))


def _too_large(limit_bytes: int) -> Problem:
    message = f"is larger than {limit_bytes // 1024} KB"
    return Problem(413, f"The body {message}.", errors=(FieldProblem("body", message),))
