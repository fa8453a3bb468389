"""Reading the runway at a constant rate while events arrive and forecasts follow: latency, cache, a cold start.

Open loop: waiting counts. The page is the whole of it, signed in; the API is `GET /api/v1/runway`. An event comes
twice a second, so each forecast is read for a second or two. Hits are the caches' own count of all reads: of the
answers kept in the web process, and of forecasts in Redis. Cold: Redis is emptied, then many readers at once ask
for the bands, which no process keeps; each of them reads a row of 30 kB from PostgreSQL, and nobody computes.

Goals: the founding claim is 94 % of hits at 500 requests a second.
"""

import json
import re
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from threading import Event, Thread
from typing import Any

from redis import Redis

from bench.load import Sample, closed_loop, open_loop
from bench.publishing import Tenant, asked, post_expense, tenants_made
from bench.stack import Stack, running_stack, told_apart

API_PER_SECOND, PAGES_PER_SECOND = 500, 25
# Below what one process can do here, so that the latency is that of an answer and not of a queue.
MODEST_PER_SECOND = 50
SECONDS = 8.0
EVENT_EVERY_SECONDS = 0.5
READERS_AT_ONCE = 64

GOALS = {
    "api_at_500_hit_percent": ">= 94",
    "api_at_500_per_second": ">= 490",
    "api_at_500_p95_ms": "<= 50",
    "page_at_25_p95_ms": "<= 100",
    "cold_answers_200": f">= {READERS_AT_ONCE}",
}
_HITS = re.compile(r'^forecast_cache_requests_total\{result="(\w+)"\} ([0-9.]+)', re.MULTILINE)


def run() -> dict[str, Any]:
    """Measure; returns figures by name."""
    with running_stack(workers=True) as stack:
        (tenant,) = tenants_made(stack, companies=1)
        connection = HTTPConnection("127.0.0.1", stack.port)
        asked(connection, tenant, "GET", "/api/v1/runway")
        api = _get("/api/v1/runway", f"Authorization: Bearer {tenant.token}")
        page = _get("/", f"Cookie: sessionid={_session_of_a_member(stack, tenant)}")
        figures: dict[str, Any] = {}
        for name, request, rate in (
            ("api", api, MODEST_PER_SECOND),
            ("api", api, API_PER_SECOND),
            ("page", page, PAGES_PER_SECOND),
        ):
            figures |= _at(stack, tenant, request, name=f"{name}_at_{rate}", per_second=rate)
        for name, request in (("api", api), ("page", page)):
            sample = closed_loop(lambda _, request=request: request, port=stack.port, seconds=4.0)  # type: ignore[misc]
            figures[f"{name}_most_per_second"] = sample.requests_per_second
        bands = _get("/api/v1/runway/bands", f"Authorization: Bearer {tenant.token}")
        return figures | _cold(stack, bands)


def _at(stack: Stack, tenant: Tenant, request: bytes, *, name: str, per_second: int) -> dict[str, Any]:
    before = _asked_of_cache(stack)
    with _events(stack, tenant):
        sample = open_loop(lambda _: request, port=stack.port, per_second=per_second, seconds=SECONDS)
    after = _asked_of_cache(stack)
    asked_now = {result: after[result] - before.get(result, 0.0) for result in after}
    _only_answers(sample, name=name)
    return {
        **{f"{name}_p{percent}_ms": sample.percentile_ms(percent) for percent in (50, 95, 99)},
        f"{name}_per_second": sample.requests_per_second,
        f"{name}_hit_percent": 100.0
        * (asked_now.get("rendered", 0.0) + asked_now.get("hit", 0.0))
        / max(sum(asked_now.values()), 1.0),
    }


def _cold(stack: Stack, request: bytes) -> dict[str, Any]:
    """Everybody at once on an emptied cache: how many found nothing, and how long the last one waited."""
    redis = Redis.from_url(stack.env["REDIS_URL"])
    for key in redis.scan_iter("forecast:*:*:*:*"):
        redis.delete(key)
    before = _asked_of_cache(stack)
    sample = open_loop(
        lambda _: request,
        port=stack.port,
        per_second=100_000,
        seconds=READERS_AT_ONCE / 100_000,
        connections=READERS_AT_ONCE,
    )
    after = _asked_of_cache(stack)
    return {
        "cold_answers_200": sample.statuses.get(200, 0),
        "cold_misses": after.get("miss", 0.0) - before.get("miss", 0.0),
        "cold_worst_ms": max(sample.latencies) * 1000,
    }


@contextmanager
def _events(stack: Stack, tenant: Tenant) -> Iterator[None]:
    """Record an expense now and then until the block is left."""
    over = Event()

    def record() -> None:
        connection = HTTPConnection("127.0.0.1", stack.port)
        while not over.wait(EVENT_EVERY_SECONDS):
            post_expense(connection, tenant, f"read-{time.time_ns()}")

    recorder = Thread(target=record)
    recorder.start()
    try:
        yield
    finally:
        over.set()
        recorder.join()


def _get(path: str, header: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{header}\r\n\r\n".encode()


def _only_answers(sample: Sample, *, name: str) -> None:
    if set(sample.statuses) != {200}:
        raise SystemExit(f"{name}: answers by status are {sample.statuses}")


def _asked_of_cache(stack: Stack) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{stack.port}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    return {result: float(count) for result, count in _HITS.findall(text)}


def _session_of_a_member(stack: Stack, tenant: Tenant) -> str:
    """Sign a new founder of the company in; return the session's key."""
    key: str = told_apart(sign_in, tenant.company_id, env=stack.env)
    return key


def sign_in(company_id: int) -> None:
    """Make a founder and a session, and print its key as JSON."""
    import django

    django.setup()
    from django.contrib.auth import get_user_model
    from django.test import Client

    from ledger.models.company import Membership

    user = get_user_model().objects.create_user(email="reader@example.com")
    Membership.objects.create(company_id=company_id, user=user, role="founder")
    client = Client()
    client.force_login(user)
    print(json.dumps(client.session.session_key))
