"""From a committed event to the forecast that counts it, and many companies behind at once.

The company is the demo: eighteen months in three currencies, credits, a tranche; its plan states no exchange
rates, so that the European Central Bank's count. Visible means that `GET /api/v1/runway` has answered with a
forecast that has read the event; idle, that no forecast, explanation or track record waits. Many are behind at
once when each has an event, and when the Bank publishes a day, which the sweep finds. Explanations and track
records are held back by their own gates until the numbers are measured, since they take a second a company and
more; then they are let through the queue, and the rate of explanations is taken from the first of them on, for a
minute at most. Beside is what is visible while explanations of one more day of rates are made, and track records
begun.

Goals: visible within 150 ms (p95) on an idle system, and beside what gives way; 20 companies a second on one
worker process when something that they share has moved; that worker within 400 MB. CAPSTACK_BENCH_COMPANIES makes
it 200 companies, which take some minutes.
"""

import http.client
import json
import os
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import psutil
import psycopg
from currency_converter import CURRENCY_FILE
from redis import Redis

from bench.stack import Stack, running_stack, told_apart
from ledger.gate import open_gate

COMPANIES = int(os.environ.get("CAPSTACK_BENCH_COMPANIES", "40"))
EVENTS = 60
EVENTS_BESIDE = 30
# Longer than the pace at which one company is computed under load (forecasting.jobs.PACE_SECONDS).
PAUSE_SECONDS = 1.2
POLL_SECONDS = 0.002
PATIENCE_SECONDS = 600.0
# Longer than everything here takes.
HELD_SECONDS = 7200
EXPLAINING_SECONDS = 60.0

GOALS = {
    "visible_p95_ms": "<= 150",
    "visible_beside_p95_ms": "<= 150",
    "events_companies_per_second": ">= 20",
    "fx_day_companies_per_second": ">= 20",
    "worker_peak_mb": "<= 400",
}


@dataclass(frozen=True, slots=True)
class Tenant:
    company_id: int
    token: str


def run() -> dict[str, Any]:
    """Measure; returns figures by name."""
    with tempfile.TemporaryDirectory(prefix="capstack-rates-") as folder:
        rates = Path(folder) / "eurofxref-hist.csv"
        publish_rates(rates)
        with (
            running_stack(workers=True, more={"ECB_RATES_PATH": str(rates)}) as stack,
            stack.connect() as connection,
        ):
            return figures_of(stack, connection, rates=rates)


def figures_of(stack: Stack, connection: psycopg.Connection, *, rates: Path) -> dict[str, Any]:
    begun = time.perf_counter()
    tenants = tenants_made(stack, companies=COMPANIES, explained=False)
    made = time.perf_counter()
    wait_until_level(connection)
    first = time.perf_counter() - made
    visible = [visible_after_seconds(stack, connection, tenants[0], number) for number in range(EVENTS)]
    by_events = recomputed_together(stack, connection, tenants)
    spent = cpu_seconds(stack.worker_pid)
    by_rates = recomputed_by_rates(connection, rates=rates, companies=len(tenants))
    spent = cpu_seconds(stack.worker_pid) - spent
    peak_of_numbers = peak_mb(stack.worker_pid)
    explained = explained_per_second(stack, connection, tenants)
    recomputed_by_rates(connection, rates=rates, companies=len(tenants))
    beside = [
        visible_after_seconds(stack, connection, tenants[0], EVENTS + number) for number in range(EVENTS_BESIDE)
    ]
    return {
        "companies": len(tenants),
        "seconds_to_make_companies": made - begun,
        "seconds_until_first_forecasts": first,
        "visible_p50_ms": float(np.percentile(visible, 50)) * 1000,
        "visible_p95_ms": float(np.percentile(visible, 95)) * 1000,
        "visible_worst_ms": max(visible) * 1000,
        "events_companies_per_second": len(tenants) / by_events,
        "fx_day_companies_per_second": len(tenants) / by_rates,
        "fx_day_worker_cpu_ms_per_company": spent / len(tenants) * 1000,
        "explained_companies_per_second": explained,
        "visible_beside_p50_ms": float(np.percentile(beside, 50)) * 1000,
        "visible_beside_p95_ms": float(np.percentile(beside, 95)) * 1000,
        "visible_beside_worst_ms": max(beside) * 1000,
        "worker_peak_mb_of_numbers": peak_of_numbers,
        "worker_peak_mb": peak_mb(stack.worker_pid),
    }


def publish_rates(path: Path) -> None:
    """Put the bundled history in the file's place, or if it is there, one day more: each currency 1 % dearer."""
    if path.exists():
        header, newest, *rest = path.read_text(encoding="ascii").splitlines()
        day, *quotes = newest.split(",")
        following = (datetime.fromisoformat(day) + timedelta(days=1)).date().isoformat()
        dearer = [quote if quote in ("", "N/A") else str(Decimal(quote) * Decimal("0.99")) for quote in quotes]
        # Dollars stay, so that the currencies move against the companies' own.
        dearer[0] = quotes[0]
        text = "\n".join([header, ",".join([following, *dearer]), newest, *rest])
    else:
        with ZipFile(CURRENCY_FILE) as archive:
            text = archive.read(archive.namelist()[0]).decode("ascii")
    fresh = path.with_suffix(".fresh")
    fresh.write_text(text, encoding="ascii")
    fresh.replace(path)


def tenants_made(stack: Stack, *, companies: int, explained: bool = True) -> list[Tenant]:
    """Companies with the demo's history and plan, and a token each.

    Args:
        explained: False holds explanations and track records back until their gates are opened.
    """
    made = told_apart(make_tenants, companies, explained=explained, env=stack.env)
    return [Tenant(**fields) for fields in made]


def make_tenants(companies: int, *, explained: bool) -> None:
    """Record the same history into each company and print ids and tokens as JSON."""
    import django

    django.setup()
    from django.conf import settings

    from capstack.demo.company import history_of, tell
    from capstack.demo.story import CURRENCY, TIMEZONE, ZONE, Story
    from forecasting.selectors.plans import plan_in_force
    from forecasting.services.plans import record_plan
    from forecasting.wake import EXPLANATION, RECORD
    from ledger.gate import hold_gate
    from ledger.redis_client import impatient_client
    from ledger.services.companies import create_company
    from ledger.services.tokens import create_token

    now = datetime.now(UTC)
    story = Story(now.astimezone(ZONE).date())
    history = history_of(story, months=18)
    tenants = []
    for number in range(companies):
        company = create_company(
            slug=f"tenant-{number}", name=f"Tenant {number}", currency=CURRENCY, timezone=TIMEZONE, now=now
        )
        if not explained:
            gates = impatient_client(settings.REDIS_QUEUE_URL)
            for work in (EXPLANATION, RECORD):
                hold_gate(gates, work=work, company_id=company.pk, seconds=HELD_SECONDS)
        tell(story, history=history, company=company, now=now)
        told = plan_in_force(company_id=company.pk)
        assert told is not None
        record_plan(company_id=company.pk, raw=told.raw | {"fx": {}}, actor="bench", now=now)
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


def recomputed_together(stack: Stack, connection: psycopg.Connection, tenants: list[Tenant]) -> float:
    """Put every company behind at once by an event; return the seconds until none is."""
    time.sleep(PAUSE_SECONDS)
    answering = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=PATIENCE_SECONDS)
    begun = time.perf_counter()
    for tenant in tenants:
        post_expense(answering, tenant, "shared")
    wait_until_level(connection)
    return time.perf_counter() - begun


def recomputed_by_rates(connection: psycopg.Connection, *, rates: Path, companies: int) -> float:
    """Publish a day of rates; return the seconds from the first company's turn until all have a new forecast."""
    time.sleep(PAUSE_SECONDS)
    published = connection.execute("SELECT clock_timestamp()").fetchone()
    publish_rates(rates)
    begun = time.perf_counter()
    while time.perf_counter() - begun < PATIENCE_SECONDS:
        row = connection.execute(
            "SELECT count(*), extract(epoch FROM clock_timestamp() - min(run.computed_at))"
            " FROM forecasting_forecastcursor c JOIN forecasting_forecastrun run ON run.id = c.free_run_id"
            " WHERE run.computed_at > %s",
            published,
        ).fetchone()
        assert row is not None
        if row[0] == companies:
            return float(row[1])
        time.sleep(0.02)
    raise SystemExit("some forecasts never came")


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


def explained_per_second(stack: Stack, connection: psycopg.Connection, tenants: list[Tenant]) -> float:
    """Let the explanations through, which the sweep wakes; return how many companies a second get both."""
    redis = Redis.from_url(stack.env["REDIS_URL"])
    for tenant in tenants:
        for work in ("explain", "record"):
            open_gate(redis, work=work, company_id=tenant.company_id)
    at_first = explained_runs(connection)
    begun = time.perf_counter()
    while (explained := explained_runs(connection)) == at_first:
        if time.perf_counter() - begun > PATIENCE_SECONDS:
            raise SystemExit("no explanation came")
        time.sleep(0.02)
    first, since = explained, time.perf_counter()
    # The one in the middle of which this began is not counted.
    while explained < 2 * len(tenants) and time.perf_counter() - since < EXPLAINING_SECONDS:
        time.sleep(0.02)
        explained = explained_runs(connection)
    return (explained - first) / 2 / (time.perf_counter() - since)


def explained_runs(connection: psycopg.Connection) -> int:
    """How many of the forecasts in force, two a company, are explained."""
    row = connection.execute(
        "SELECT count(*) FROM forecasting_forecastcursor c"
        " JOIN forecasting_forecastrun run ON run.id IN (c.free_run_id, c.bank_run_id)"
        " WHERE EXISTS (SELECT FROM forecasting_forecastexplanation e WHERE e.run_id = run.id)"
    ).fetchone()
    assert row is not None
    return int(row[0])


def cpu_seconds(pid: int | None) -> float:
    """What a process has used of processors so far, beside all that others use."""
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def peak_mb(pid: int | None) -> float:
    """Most resident memory that a process ever had, in MB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
