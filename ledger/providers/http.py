"""One request to somebody outside: bounded in time and size, never redirected, with failures told apart."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import urllib3

from ledger.domain.strict_json import InvalidJson, parse_json

CONNECT_SECONDS = 5.0
READ_SECONDS = 20.0
# Over all reads: a server that drips one byte at a time must not hold a worker.
TOTAL_SECONDS = 60.0
MAX_ANSWER_BYTES = 16 * 1_048_576
MAX_RETRY_AFTER_SECONDS = 900
_CHUNK_BYTES = 65_536

# Connections are kept between the pages of a walk; the pool is made at the first request, past any fork.
_pool = urllib3.PoolManager(num_pools=8, maxsize=4, retries=False)


class Unavailable(Exception):
    """No usable answer: nobody there, too slow, too long, rate limited or broken. Trying again may help.

    Attributes:
        retry_after_seconds: what the other side asked for, None when it did not.
    """

    def __init__(self, message: str, *, retry_after_seconds: int | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, with a status below 500 other than 429."""

    status: int
    body: bytes

    def json(self) -> Any:
        """Return the body as `parse_json` reads it.

        Raises:
            Unavailable: it is no JSON; an error page of a proxy in between, as a rule.
        """
        try:
            return parse_json(self.body)
        except InvalidJson as error:
            raise Unavailable(f"answered {self.status} with something that is not JSON: {error}") from None


def request(
    *,
    method: str,
    url: str,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    max_answer_bytes: int = MAX_ANSWER_BYTES,
) -> Answer:
    """Ask once and return the answer.

    Raises:
        Unavailable: no connection, a timeout, 429, 5xx, a redirect, or an answer beyond `max_answer_bytes`.
    """
    deadline = time.monotonic() + TOTAL_SECONDS
    try:
        response = _pool.request(
            method,
            url,
            headers=dict(headers or {}),
            body=body,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
            redirect=False,
            preload_content=False,
        )
        try:
            content = _read(response, deadline, max_answer_bytes)
        except BaseException:
            response.close()
            raise
        response.release_conn()
    except urllib3.exceptions.HTTPError as error:
        # The message of urllib3 names host and cause, never the body or the headers.
        raise Unavailable(f"no answer: {type(error).__name__}") from error
    status = response.status
    if status == 429 or status >= 500:
        seconds = _retry_after(response.headers.get("Retry-After", ""))
        raise Unavailable(f"answered {status}", retry_after_seconds=seconds)
    if 300 <= status < 400:
        raise Unavailable(f"answered {status}: redirects are not followed")
    return Answer(status=status, body=content)


def _read(response: urllib3.BaseHTTPResponse, deadline: float, most: int) -> bytes:
    content = bytearray()
    for chunk in response.stream(_CHUNK_BYTES, decode_content=True):
        content += chunk
        if len(content) > most:
            raise Unavailable(f"the answer is longer than {most} bytes")
        if time.monotonic() > deadline:
            raise Unavailable(f"the answer took longer than {math.ceil(TOTAL_SECONDS)} seconds")
    return bytes(content)


def _retry_after(text: str) -> int | None:
    """Seconds as the header states them; a date there is treated as absent."""
    return min(int(text), MAX_RETRY_AFTER_SECONDS) if text.isdecimal() and len(text) < 10 else None
