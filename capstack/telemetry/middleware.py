"""Around every request: an id, a duration, and one log line when it deserves one."""

import logging
import re
import time
import uuid
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from capstack.telemetry.http_metrics import observe

logger = logging.getLogger(__name__)

HEADER = "X-Request-ID"
SLOW_SECONDS = 1.0
# What may go into log lines and back into a header: no spaces, no line breaks, no essays.
_SANE = re.compile(r"[A-Za-z0-9._:-]{1,64}")


class RequestIdMiddleware:
    """Take over a sane X-Request-ID or draw one; put it into every log line of the request and into the answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # Not request.headers: that takes every header apart to give one.
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = given if _SANE.fullmatch(given) else uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            started = time.perf_counter()
            response = self._get_response(request)
            seconds = time.perf_counter() - started
            response.headers[HEADER] = request_id
            _log(request, response, seconds)
        observe(request=request, status=response.status_code, seconds=seconds)
        return response


def _log(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    """Log errors and slow answers; at 300 events a second a line for each success would be the largest cost."""
    if response.status_code >= 500:
        level = logging.ERROR
    elif response.status_code >= 400 or seconds > SLOW_SECONDS:
        level = logging.INFO
    else:
        level = logging.DEBUG
    if logger.isEnabledFor(level):
        logger.log(
            level,
            "request",
            extra={
                "method": request.method,
                "path": request.path,  # without the query string, which may hold a secret
                "status": response.status_code,
                "milliseconds": round(seconds * 1000, 1),
            },
        )


class ProbeMiddleware:
    """Answer /livez, /readyz and /metrics before hosts, sessions and redirects are looked at.

    Probes come from inside a cluster, by address and over plain HTTP: no host name of theirs is in ALLOWED_HOSTS.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        from capstack.views.probes import livez, metrics, readyz  # models are loaded by now, not at import

        self._get_response = get_response
        self._probes: dict[str, Callable[[HttpRequest], HttpResponse]] = {
            "/livez": livez,
            "/readyz": readyz,
            "/metrics": metrics,
        }

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        probe = self._probes.get(request.path_info)
        return probe(request) if probe is not None else self._get_response(request)
