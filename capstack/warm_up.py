"""What a web process does once, after it has begun to answer and beside answering."""

import threading

from django.db import close_old_connections, connections
from django.urls import get_resolver
from django.utils import timezone

# Long enough for the process to be ready and to have answered who waited for it.
AFTER_SECONDS = 2.0


def warm_up_soon() -> threading.Thread:
    """Return the thread that waits a moment, then loads what pages are made of and draws what what-ifs need."""
    thread = threading.Timer(AFTER_SECONDS, _warm_up)
    thread.daemon = True
    thread.name = "warm-up"
    thread.start()
    return thread


def _warm_up() -> None:
    # Not imported at start: an application without a data base answers its probes all the same.
    from forecasting.services.warm_up import warm_up

    get_resolver().url_patterns  # noqa: B018 - all views and the API are imported at the first look
    close_old_connections()
    try:
        warm_up(now=timezone.now())
    finally:
        connections.close_all()
