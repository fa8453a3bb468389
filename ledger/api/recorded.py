"""Answering whoever records one event: from memory while all goes well, by the book when it does not."""

from collections.abc import Callable
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from ledger.api.auth import RECORDING, Recorder, authenticate, bearer_token
from ledger.api.body import JSON, media_type, whole_body
from ledger.api.problems import Problem
from ledger.api.replay import answer_once
from ledger.services.journal_table import BooksChanged
from ledger.services.known_callers import forget

MAX_EVENT_BYTES = 64 * 1024

type Work = Callable[[bytes, Recorder, datetime], HttpResponse]


def answer_recorder(request: HttpRequest, recorder: Recorder, work: Work) -> HttpResponse:
    """Return what `work` answers to a body.

    A recorder who was only recalled is looked up before anything is answered but 201: a new event the database
    itself would have refused, had the token been revoked or the books been changed.

    Raises:
        Problem: as `work` does; 413 or 415 for the body; 401 or 403 when the token turns out to be no good.
    """
    try:
        media_type(request, allowed=frozenset({JSON}))
        body = whole_body(request, limit_bytes=MAX_EVENT_BYTES)
        response = _answer(request, recorder, body, work)
    except Problem:
        if recorder.recalled:
            authenticate(request, scope=RECORDING)
        raise
    if recorder.recalled and response.status_code != 201:
        authenticate(request, scope=RECORDING)
    return response


def _answer(request: HttpRequest, recorder: Recorder, body: bytes, work: Work) -> HttpResponse:
    now = timezone.now()

    def record_with(known: Recorder) -> HttpResponse:
        return answer_once(
            request, identity=known.identity, body=body, now=now, work=lambda: work(body, known, now)
        )

    try:
        return record_with(recorder)
    except BooksChanged:
        forget(token=bearer_token(request))
        return record_with(Recorder(authenticate(request, scope=RECORDING), None))
