"""Answering whoever records one event: from memory while all goes well, by the book when it does not."""

from collections.abc import Callable
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from ledger.api.auth import RECORDING, Recorder, authenticate, bearer_token
from ledger.api.body import JSON, media_type, whole_body
from ledger.api.problems import Problem
from ledger.api.replay import answer_once
from ledger.services.known_callers import forget
from ledger.services.record import BooksInsufficient

MAX_EVENT_BYTES = 64 * 1024

type Work = Callable[[bytes, Recorder, datetime], HttpResponse]


def answer_recorder(request: HttpRequest, recorder: Recorder, work: Work) -> HttpResponse:
    """Return what `work` answers to a body.

    A recorder who was only recalled gets no answer but 201: a new event, which the database itself would have
    refused had the token been revoked or the books been changed. For anything else the token is looked up first.

    Raises:
        Problem: as `work` does; 413 or 415 for the body; 401 or 403 when the token is no good.
    """
    try:
        media_type(request, allowed=frozenset({JSON}))
        body = whole_body(request, limit_bytes=MAX_EVENT_BYTES)
        now = timezone.now()
        if recorder.books is not None:
            try:
                return work(body, recorder, now)
            except BooksInsufficient:
                forget(token=bearer_token(request))
            recorder = Recorder(authenticate(request, scope=RECORDING))
        return answer_once(
            request, identity=recorder.identity, body=body, now=now, work=lambda: work(body, recorder, now)
        )
    except Problem:
        if recorder.books is not None:
            authenticate(request, scope=RECORDING)
        raise
