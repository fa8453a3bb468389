"""Ten million events in one company: a page of the journal, daily cash flow, recording against an empty ledger.

Goals: page, flow and warnings p95 <= 50 ms; recording at most 20 % slower than on an empty ledger.
CAPSTACK_BENCH_EVENTS makes it smaller; 10,000,000 need 8 GB of disk and some minutes.
"""

import json
import os
import random
import shutil
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg

from bench.events import event, start_of_today
from bench.full_journal import fill_journal
from bench.load import closed_loop, post
from bench.stack import Stack, manage, running_stack, told_apart

EVENTS = int(os.environ.get("CAPSTACK_BENCH_EVENTS", "10000000"))
BYTES_PER_EVENT = 1100
ASKED = 200
ROUNDS = 3
SECONDS_PER_ROUND = 4.0

GOALS = {
    "journal_page_p95_ms": "<= 50",
    "journal_period_p95_ms": "<= 50",
    "daily_cash_flow_p95_ms": "<= 50",
    "data_warnings_p95_ms": "<= 50",
    "empty_over_full_recording": "<= 1.2",
}


def run() -> dict[str, Any]:
    """Measure; returns figures by name."""
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free < EVENTS * BYTES_PER_EVENT * 2:
        raise SystemExit(
            f"{EVENTS} events need {EVENTS * BYTES_PER_EVENT * 2 / 1e9:.0f} GB free, there are {free / 1e9:.0f}"
        )
    with running_stack() as stack, stack.connect() as connection:
        full = company_id_of(connection, "bench")
        begun = time.perf_counter()
        fill_journal(connection, company_id=full, rows=EVENTS)
        filled = time.perf_counter() - begun
        manage(stack.env, "create_company", "empty", "--name", "Empty", "--currency", "USD", "--timezone", "UTC")
        token = manage(stack.env, "create_token", "empty", "--name", "b", "--scopes", "ingest,read").split()[-1]
        asked = told_apart(reads, full, env=stack.env)
        return {"events": EVENTS, "fill_seconds": filled, **asked, **recording(stack, token)}


def company_id_of(connection: psycopg.Connection, slug: str) -> int:
    row = connection.execute("SELECT id FROM ledger_company WHERE slug = %s", [slug]).fetchone()
    assert row is not None
    return int(row[0])


def reads(company_id: int) -> None:
    """Print, as JSON, the 95th percentiles of what pages ask, at random places of the journal."""
    import django
    import numpy as np

    django.setup()
    from ledger.selectors.cash_days import cash_days
    from ledger.selectors.data_warnings import data_warnings
    from ledger.selectors.flows import daily_flows
    from ledger.selectors.journal import EventFilter, list_events
    from ledger.services.daily_flows import catch_up

    begun = time.perf_counter()
    catch_up(company_id=company_id)
    summed = time.perf_counter() - begun
    draw = random.Random(11)
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)

    def p95_ms(ask: Any, count: int) -> float:
        took = []
        for _ in range(count + 5):
            begun = time.perf_counter()
            ask()
            took.append(time.perf_counter() - begun)
        return float(np.percentile(took[5:], 95)) * 1000

    def page() -> None:
        found = list_events(company_id=company_id, after=draw.randrange(EVENTS - 200), limit=100)
        assert len(found.entries) == 100

    def period() -> None:
        first = today - timedelta(days=draw.randrange(40, 700))
        where = EventFilter(occurred_from=first, occurred_before=first + timedelta(days=30))
        assert list_events(company_id=company_id, limit=100, where=where).entries

    def flow() -> None:
        first = today.date() - timedelta(days=draw.randrange(90, 700))
        assert cash_days(company_id=company_id, start=first, before=first + timedelta(days=90))

    def whole_history() -> None:
        flows = daily_flows(company_id=company_id, until=date.today())
        assert flows is not None

    def warnings() -> None:
        data_warnings(company_id=company_id, timezone="UTC", now=datetime.now(UTC))

    figures = {
        "summing_seconds": summed,
        "journal_page_p95_ms": p95_ms(page, ASKED),
        "journal_period_p95_ms": p95_ms(period, ASKED // 2),
        "daily_cash_flow_p95_ms": p95_ms(flow, ASKED),
        "data_warnings_p95_ms": p95_ms(warnings, ASKED // 2),
        "whole_history_for_a_forecast_p95_ms": p95_ms(whole_history, 20),
    }
    print(json.dumps(figures))


def recording(stack: Stack, empty_token: str) -> dict[str, Any]:
    """Record single events over HTTP into the full company and an empty one, in turns."""
    start = start_of_today()
    fresh = iter(range(1 << 30))

    def request(token: str) -> Any:
        return lambda _: post("/api/v1/events", json.dumps(event(next(fresh), start=start)).encode(), token=token)

    rates = []
    for _ in range(ROUNDS + 1):
        full = closed_loop(request(stack.token), port=stack.port, seconds=SECONDS_PER_ROUND).requests_per_second
        empty = closed_loop(request(empty_token), port=stack.port, seconds=SECONDS_PER_ROUND).requests_per_second
        rates.append((empty / full, full, empty))
    measured = sorted(rates[1:])  # the first one warms up
    ratio, full, empty = measured[ROUNDS // 2]
    return {"full_per_second": full, "empty_per_second": empty, "empty_over_full_recording": ratio}
