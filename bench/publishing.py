"""From a committed event to the forecast that counts it, and many companies behind at once.

The company is the demo: eighteen months in three currencies, credits, a tranche. Visible means that
`GET /api/v1/runway` has answered with a forecast that has read the event.

Goals: visible within 150 ms (p95) on an idle system; 20 companies a second on one worker process when something
that they share has moved; that worker within 400 MB.
"""

import http.client
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psycopg

from bench.stack import REPOSITORY, Stack, running_stack

COMPANIES = int(os.environ.get("CAPSTACK_BENCH_COMPANIES", "200"))
EVENTS = 60
# Longer than the pace at which one company is computed under load (forecasting.jobs.PACE_SECONDS).
PAUSE_SECONDS = 1.2
POLL_SECONDS = 0.002
PATIENCE_SECONDS = 300.0

GOALS = {
    "visible_p95_ms": "<= 150",
    "companies_per_second": ">= 20",
    "worker_peak_mb": "<= 400",
}


@dataclass(frozen=True, slots=True)
class Tenant:
    company_id: int
    token: str


def run() -> dict[str, Any]:
    """Measure; returns figures by name."""
    with running_stack(workers=True) as stack, stack.connect() as connection:
        tenants = tenants_made(stack, companies=COMPANIES)
        first = wait_until_level(connection)
        visible = [visible_after_seconds(stack, connection, tenants[0], number) for number in range(EVENTS)]
        behind, seconds = recomputed_together(stack, connection, tenants)
        return {
            "companies": len(tenants),
            "seconds_until_first_forecasts": first,
            "visible_p50_ms": float(np.percentile(visible, 50)) * 1000,
            "visible_p95_ms": float(np.percentile(visible, 95)) * 1000,
            "visible_worst_ms": max(visible) * 1000,
            "companies_per_second": behind / seconds,
            "worker_peak_mb": peak_mb(stack.worker_pid),
        }


def tenants_made(stack: Stack, *, companies: int) -> list[Tenant]:
    """Companies with the demo's history and plan, and a token each."""
    done = subprocess.run(
        [sys.executable, "-c", f"from bench.publishing import make_tenants; make_tenants({companies})"],
        cwd=REPOSITORY,
        env=stack.env,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return [Tenant(**fields) for fields in json.loads(done.stdout)]


def make_tenants(companies: int) -> None:
    """Record the same history into each company and print ids and tokens as JSON."""
    import django

    django.setup()
    from capstack.demo.company import tell
    from capstack.demo.story import CURRENCY, TIMEZONE, ZONE, Story
    from ledger.services.companies import create_company
    from ledger.services.tokens import create_token

    now = datetime.now(UTC)
    story = Story(now.astimezone(ZONE).date())
    tenants = []
    for number in range(companies):
        company = create_company(
            slug=f"tenant-{number}", name=f"Tenant {number}", currency=CURRENCY, timezone=TIMEZONE, now=now
        )
        tell(story, company=company, months=18, now=now)
        token = create_token(company_id=company.pk, name="bench", scopes=("ingest", "read"), now=now)
        tenants.append({"company_id": company.pk, "token": token})
    print(json.dumps(tenants))


def visible_after_seconds(stack: Stack, connection: psycopg.Connection, tenant: Tenant, number: int) -> float:
    """Post one event on an idle system; return how long after the answer its forecast can be read.

    Whether it is there is asked of the cursor, which costs nothing; then the API has to answer with it.
    """
    time.sleep(PAUSE_SECONDS)
    answering = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=PATIENCE_SECONDS)
    before = asked(answering, tenant, "GET", "/api/v1/runway")["position"]
    post_expense(answering, tenant, f"visible-{number}")
    committed = time.perf_counter()
    while position_read(connection, tenant) == before:
        if time.perf_counter() - committed > PATIENCE_SECONDS:
            raise SystemExit("the forecast never came")
        time.sleep(POLL_SECONDS)
    if asked(answering, tenant, "GET", "/api/v1/runway")["position"] == before:
        raise SystemExit("the forecast is stored and not visible")
    answering.close()
    return time.perf_counter() - committed


def position_read(connection: psycopg.Connection, tenant: Tenant) -> int:
    row = connection.execute(
        "SELECT position FROM forecasting_forecastcursor WHERE company_id = %s", [tenant.company_id]
    ).fetchone()
    assert row is not None
    return int(row[0])


def recomputed_together(stack: Stack, connection: psycopg.Connection, tenants: list[Tenant]) -> tuple[int, float]:
    """Put every company behind at once; return how many, and the seconds until none is."""
    time.sleep(PAUSE_SECONDS)
    answering = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=PATIENCE_SECONDS)
    begun = time.perf_counter()
    for tenant in tenants:
        post_expense(answering, tenant, "shared")
    wait_until_level(connection)
    return len(tenants), time.perf_counter() - begun


def post_expense(answering: http.client.HTTPConnection, tenant: Tenant, name: str) -> None:
    event = {
        "source": "bench",
        "event_type": "expense",
        "amount": "120.00",
        "currency": "USD",
        "occurred_at": datetime.now(UTC).isoformat(),
        "account": "bank",
        "category": "saas",
        "counterparty": "Bench",
        "external_ref": name,
    }
    asked(answering, tenant, "POST", "/api/v1/events", body=json.dumps(event))


def asked(
    answering: http.client.HTTPConnection, tenant: Tenant, method: str, path: str, *, body: str | None = None
) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {tenant.token}", "Content-Type": "application/json"}
    answering.request(method, path, body=body, headers=headers)
    answer = answering.getresponse()
    text = answer.read()
    if answer.status >= 300:
        raise SystemExit(f"{method} {path}: {answer.status} {text[:300]!r}")
    found: dict[str, Any] = json.loads(text)
    return found


def wait_until_level(connection: psycopg.Connection) -> float:
    """Wait until every company's forecast has reached its journal; return the seconds."""
    begun = time.perf_counter()
    while time.perf_counter() - begun < PATIENCE_SECONDS:
        row = connection.execute(
            "SELECT count(*) FROM ledger_journalhead h LEFT JOIN forecasting_forecastcursor c"
            " USING (company_id) WHERE h.position > coalesce(c.position, 0)"
        ).fetchone()
        assert row is not None
        if row[0] == 0:
            return time.perf_counter() - begun
        time.sleep(0.02)
    raise SystemExit("some forecasts never came")


def peak_mb(pid: int | None) -> float:
    """Most resident memory that a process ever had, in MB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
