"""A door of their own for the requests that come by the hundred a second: one event to record, the runway to read.

A machine with a token needs no session, no CSRF token, no messages and no search through all addresses; together
they cost more than recording the event. What such a request gets is the same as on the long way, answer by answer
and header by header (`tests/capstack/test_machine_door.py` holds the two together).
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch, resolve
from django.utils.csp import build_policy

from forecasting.api.rendered_runway import get_runway
from ledger.api.events import post_event
from ledger.api.ingest import post_founding_event

type Answer = Callable[[HttpRequest], HttpResponseBase]


class MachineDoor:
    """Answer a POST of one event and a GET of the runway here; let everything else pass.

    It stands behind the middleware that knows request ids, HTTPS and problem documents, and does what the rest of
    the chain would do for such a request: look at the host, say the content policy and the length.
    """

    def __init__(self, get_response: Answer) -> None:
        self._get_response = get_response
        self._views: dict[tuple[str | None, str], Answer] = {
            ("POST", "/api/v1/events"): post_event,
            ("POST", "/events/ingest"): post_founding_event,
            ("GET", "/api/v1/runway"): lambda request: get_runway(request, long_way=get_response),
        }
        self._matches: dict[str, ResolverMatch] = {}
        policy: Mapping[str, Any] = settings.SECURE_CSP
        self._headers = {
            "X-Frame-Options": settings.X_FRAME_OPTIONS,
            "Content-Security-Policy": build_policy(policy),
        }

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        path = request.path_info
        view = self._views.get((request.method, path))
        # A query is mostly a mistake, which the long way explains; the runway's own way knows what it may say.
        if view is None or (request.method == "POST" and request.META.get("QUERY_STRING")):
            return self._get_response(request)
        request.get_host()  # raises for a host that is not ours
        request.resolver_match = self._match(path)
        response = view(request)
        headers = response.headers
        if isinstance(response, HttpResponse):
            headers["Content-Length"] = str(len(response.content))
        for name, value in self._headers.items():
            headers[name] = value
        return response

    def _match(self, path: str) -> ResolverMatch:
        """What the long way would find: metrics are kept by its route."""
        match = self._matches.get(path)
        if match is None:
            match = self._matches[path] = resolve(path)
        return match
