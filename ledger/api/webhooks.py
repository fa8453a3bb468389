"""`POST /webhooks/{provider}/{endpoint_id}`: verify, keep, answer. A job does the rest."""

import json
import re
from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from ledger.api.body import JSON, media_type, whole_body
from ledger.api.problems import DATABASE_AWAY, Problem, unexpected
from ledger.jobs import wake_delivery
from ledger.providers.provider import Arrival, VerifierUnavailable
from ledger.providers.registry import providers
from ledger.services.deliveries import MAX_BODY_BYTES, keep_delivery, keep_refused
from ledger.services.endpoints import OpenedEndpoint, open_endpoint

# Not even a provider's code sees them.
_PRIVATE_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})
RETRY_AFTER_SECONDS = 30
_ENDPOINT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@csrf_exempt
def receive_webhook(request: HttpRequest, provider: str, endpoint_id: str) -> HttpResponse:
    """200 once the delivery is kept; 400 for a signature that is not the provider's; 404 for an unknown
    address; 503 while the database is away."""
    try:
        return _receive(request, provider, endpoint_id)
    except Problem as problem:
        return problem.response()
    except DATABASE_AWAY as error:
        return unexpected(request, error)


def _receive(request: HttpRequest, provider: str, endpoint_id: str) -> HttpResponse:
    known = provider in providers() and _ENDPOINT_ID.fullmatch(endpoint_id) is not None
    endpoint = open_endpoint(provider_name=provider, endpoint_id=endpoint_id) if known else None
    if endpoint is None:
        raise Problem(404, "There is no such endpoint.")
    if request.method != "POST":
        raise Problem(405, f"{request.method} is not allowed here.", headers={"Allow": "POST"})
    media_type(request, allowed=endpoint.provider.media_types)
    raw = whole_body(request, limit_bytes=MAX_BODY_BYTES)
    headers = {
        name.lower(): value for name, value in request.headers.items() if name.lower() not in _PRIVATE_HEADERS
    }
    _verify(endpoint, raw, headers)
    delivery_id = keep_delivery(endpoint=endpoint, raw=raw, headers=headers, now=timezone.now())
    wake_delivery(delivery_id=delivery_id)
    echo = endpoint.provider.answer(raw) if endpoint.provider.answer is not None else None
    if echo is not None:
        return HttpResponse(echo, content_type="text/plain; charset=utf-8")
    return HttpResponse(json.dumps({"status": "received", "delivery": delivery_id}), content_type=JSON)


def _verify(endpoint: OpenedEndpoint, raw: bytes, headers: Mapping[str, str]) -> None:
    """Raises Problem: 400 for a delivery that is not believed, 503 when that cannot be told now."""
    now = timezone.now()
    arrival = Arrival(
        raw=raw,
        headers=headers,
        secrets=endpoint.secrets,
        settings=endpoint.settings,
        credentials=endpoint.credentials,
        now=now,
    )
    try:
        verdict = endpoint.provider.verify(arrival)
    except VerifierUnavailable as error:
        raise Problem(503, f"{error}.", headers={"Retry-After": str(RETRY_AFTER_SECONDS)}) from error
    if not verdict.verified:
        keep_refused(endpoint=endpoint, raw=raw, reason=verdict.reason, now=now)
        raise Problem(400, f"The delivery is refused: {verdict.reason}.")
