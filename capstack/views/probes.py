"""What machines ask: does it live, is it ready, how is it doing."""

import hmac
import ipaddress

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from capstack.health.checks import all_checks
from capstack.telemetry.exposition import exposition

NO_STORE = {"Cache-Control": "no-store"}


@require_safe
def livez(_request: HttpRequest) -> HttpResponse:
    """200 while the process can answer at all; asks nobody else."""
    return JsonResponse({"status": "alive"}, headers=NO_STORE)


@require_safe
def readyz(_request: HttpRequest) -> HttpResponse:
    """200 when the installation can do its work, else 503; says which check is red and why."""
    checks = all_checks(now=timezone.now())
    ready = all(check.ok for check in checks)
    body = {
        "status": "ready" if ready else "not ready",
        "checks": {check.name: {"ok": check.ok, "detail": check.detail} for check in checks},
    }
    return JsonResponse(body, status=200 if ready else 503, headers=NO_STORE)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text. It names companies and their runway, so it is not for everybody (docs/adr/0006)."""
    if not _may_read_metrics(request):
        return HttpResponse(
            "metrics: send METRICS_TOKEN as a bearer token, or ask from this machine.\n",
            status=401 if settings.METRICS_TOKEN else 403,
            content_type="text/plain; charset=utf-8",
            headers={"WWW-Authenticate": 'Bearer realm="metrics"'} if settings.METRICS_TOKEN else {},
        )
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST, headers=NO_STORE)


def _may_read_metrics(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), settings.METRICS_TOKEN.encode())
    # A proxy on this machine would lend every visitor its loopback address.
    if {"X-Forwarded-For", "Forwarded", "X-Real-Ip"} & set(request.headers):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
