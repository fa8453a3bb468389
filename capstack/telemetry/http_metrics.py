"""How long requests take, by route, summed over all web processes."""

from django.http import HttpRequest
from prometheus_client import Histogram

REQUEST_SECONDS = Histogram(
    "http_request_duration_seconds",
    "Time from the first middleware to the answer.",
    ("method", "route", "status"),
    buckets=(0.0025, 0.005, 0.0075, 0.01, 0.0125, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def observe(*, request: HttpRequest, status: int, seconds: float) -> None:
    """Count one answered request. Labels come from a closed set: a stranger cannot make new series."""
    match = request.resolver_match
    route = match.route if match is not None else "none"
    method = request.method if request.method in _METHODS else "other"
    REQUEST_SECONDS.labels(method, route, str(status)).observe(seconds)
