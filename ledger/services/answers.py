"""Answering a repeated request with the answer it missed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

KEPT = timedelta(hours=24)
# A request still without an answer after this long died on the way; the next one with its key takes over.
GIVEN_UP = timedelta(seconds=60)
# A stream that is still being read says so this often.
SIGN_OF_LIFE = timedelta(seconds=15)
# The digest of a stream that has not ended.
UNKNOWN = b""

_CLAIM = """
    INSERT INTO ledger_storedanswer AS s (token_id, key, body_sha256, status, content_type, answer, stored_at)
    VALUES (%(token)s, %(key)s, %(body)s, NULL, '', '', %(now)s)
    ON CONFLICT (token_id, key) DO UPDATE
    SET body_sha256 = excluded.body_sha256, chunked_bytes = NULL, status = NULL, content_type = '', answer = '',
        stored_at = excluded.stored_at
    WHERE s.stored_at < %(expired)s OR (s.status IS NULL AND s.stored_at < %(given_up)s)
"""
_READ = """
    SELECT body_sha256, chunked_bytes, status, content_type, answer
    FROM ledger_storedanswer WHERE token_id = %s AND key = %s
"""
_KEEP = """
    UPDATE ledger_storedanswer SET status = %s, content_type = %s, answer = %s
    WHERE token_id = %s AND key = %s AND body_sha256 = %s
"""
# Of a stream the digest is known when it has ended; until then its key is held under an empty one.
_KEEP_STREAM = """
    UPDATE ledger_storedanswer
    SET body_sha256 = %s, chunked_bytes = %s, status = %s, content_type = %s, answer = %s
    WHERE token_id = %s AND key = %s AND body_sha256 = '' AND status IS NULL
"""
_REOPEN = """
    UPDATE ledger_storedanswer SET body_sha256 = '', status = NULL, content_type = '', answer = '', stored_at = %s
    WHERE token_id = %s AND key = %s AND body_sha256 = %s AND status IS NOT NULL
"""
_STILL_AT_WORK = """
    UPDATE ledger_storedanswer SET stored_at = %s
    WHERE token_id = %s AND key = %s AND body_sha256 = '' AND status IS NULL
"""
_RELEASE = (
    "DELETE FROM ledger_storedanswer WHERE token_id = %s AND key = %s AND body_sha256 = %s AND status IS NULL"
)


class KeyReused(ValueError):
    """The key came before with another request."""


class StillAtWork(RuntimeError):
    """The first request with this key has no answer yet."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Attributes:
    content: the body as it was sent.
    """

    status: int
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class AnsweredStream:
    """Attributes:
    chunked_bytes: how long it was when it came in chunks, and so may have been cut off; else None.
    """

    body_sha256: bytes
    chunked_bytes: int | None
    answer: Answer


def claim_key(*, token_id: int, key: str, body_sha256: bytes, now: datetime) -> Answer | None:
    """Return the answer stored for a key, or None: then the caller holds the key and must keep or release it.

    Raises:
        KeyReused: the key was used in the last 24 hours with another body.
        StillAtWork: the first request is being answered right now.
    """
    stored = _claim(token_id, key, body_sha256, now)
    if stored is None:
        return None
    if stored.body_sha256 != body_sha256:
        raise KeyReused(key)
    return stored.answer


def claim_key_of_stream(*, token_id: int, key: str, now: datetime) -> AnsweredStream | None:
    """Return the first stream with a key and its answer, or None: then the caller holds the key.

    The caller must read its own stream to know whether it is the same one.

    Raises:
        StillAtWork: the first request is being answered right now.
    """
    return _claim(token_id, key, UNKNOWN, now)


def _claim(token_id: int, key: str, body_sha256: bytes, now: datetime) -> AnsweredStream | None:
    """Take a key; return what is stored under it when somebody else has it."""
    values: dict[str, Any] = {
        "token": token_id,
        "key": key,
        "body": body_sha256,
        "now": now,
        "expired": now - KEPT,
        "given_up": now - GIVEN_UP,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, values)
        if cursor.rowcount == 1:
            return None
        cursor.execute(_READ, [token_id, key])
        row = cursor.fetchone()
    if row is None:
        raise StillAtWork(key)
    stated_body, chunked_bytes, status, content_type, content = row
    if status is None:
        # Of two requests known to differ, waiting for the first one's answer would not help the second.
        if UNKNOWN not in {bytes(stated_body), body_sha256} and bytes(stated_body) != body_sha256:
            raise KeyReused(key)
        raise StillAtWork(key)
    return AnsweredStream(bytes(stated_body), chunked_bytes, Answer(status, content_type, bytes(content)))


def reopen_key_of_stream(*, token_id: int, key: str, body_sha256: bytes, now: datetime) -> None:
    """Hold the key of a stream that was cut off again, now that the whole one is here.

    Raises:
        StillAtWork: somebody else was faster.
    """
    with connection.cursor() as cursor:
        cursor.execute(_REOPEN, [now, token_id, key, body_sha256])
        if cursor.rowcount == 0:
            raise StillAtWork(key)


def keep_answer(*, token_id: int, key: str, body_sha256: bytes, answer: Answer) -> None:
    """Store the answer under a key this caller holds."""
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, [answer.status, answer.content_type, answer.content, token_id, key, body_sha256])


def keep_answer_to_stream(
    *, token_id: int, key: str, body_sha256: bytes, chunked_bytes: int | None, answer: Answer
) -> None:
    """Store the answer under a key this caller holds, and the digest of the stream it answers."""
    with connection.cursor() as cursor:
        values = [body_sha256, chunked_bytes, answer.status, answer.content_type, answer.content]
        cursor.execute(_KEEP_STREAM, [*values, token_id, key])


def still_at_work(*, token_id: int, key: str, now: datetime) -> None:
    """Say that a stream is still being read, so that nobody takes its key over."""
    with connection.cursor() as cursor:
        cursor.execute(_STILL_AT_WORK, [now, token_id, key])


def release_key(*, token_id: int, key: str, body_sha256: bytes) -> None:
    """Give a key back without an answer, after a failure of ours: the next attempt works anew."""
    with connection.cursor() as cursor:
        cursor.execute(_RELEASE, [token_id, key, body_sha256])


def release_key_of_stream(*, token_id: int, key: str) -> None:
    """Give the key of a stream back without an answer."""
    release_key(token_id=token_id, key=key, body_sha256=UNKNOWN)


def forget_answers(*, now: datetime) -> int:
    """Delete answers older than 24 hours; return how many."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM ledger_storedanswer WHERE stored_at < %s", [now - KEPT])
        return int(cursor.rowcount)
