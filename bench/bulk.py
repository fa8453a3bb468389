"""Many events in one HTTP request against a raw COPY of the same rows by a client.

Goal: >= 15,000 events/s over HTTP, durable and idempotent.
"""

import http.client
import json
import time
from typing import Any

import psycopg

from bench.bare_table import BARE_TABLE
from bench.events import event, ndjson, start_of_today
from bench.stack import Stack, running_stack

EVENTS = 60_000
ROUNDS = 3

GOALS = {"bulk_events_per_second": ">= 15000"}

COLUMNS = (
    "source",
    "event_type",
    "amount",
    "currency",
    "occurred_at",
    "account",
    "category",
    "counterparty",
    "external_ref",
)


def run() -> dict[str, Any]:
    """Measure; returns figures by name."""
    with running_stack() as stack, stack.connect() as connection:
        connection.execute(BARE_TABLE)
        rounds = []
        for number in range(ROUNDS + 1):
            first = number * EVENTS
            rounds.append((bulk_per_second(stack, first), copy_per_second(connection, first)))
        repeat_per_second = bulk_per_second(stack, 0, expected="duplicates")
    measured = rounds[1:]  # the first one warms up
    bulk = sorted(rate for rate, _ in measured)
    return {
        "events": EVENTS,
        "bulk_events_per_second": bulk[ROUNDS // 2],
        "raw_copy_rows_per_second": sorted(rate for _, rate in measured)[ROUNDS // 2],
        "copy_over_bulk": sorted(copy / bulk_rate for bulk_rate, copy in measured)[ROUNDS // 2],
        "repeated_events_per_second": repeat_per_second,
    }


def bulk_per_second(stack: Stack, first: int, *, expected: str = "recorded") -> float:
    """Post EVENTS events as one NDJSON body; every one must be `expected`."""
    body = ndjson(first, EVENTS, start=start_of_today())
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=300)
    headers = {"Authorization": f"Bearer {stack.token}", "Content-Type": "application/x-ndjson"}
    begun = time.perf_counter()
    connection.request("POST", "/api/v1/events/bulk", body=body, headers=headers)
    answer = json.loads(connection.getresponse().read())
    seconds = time.perf_counter() - begun
    if answer.get(expected) != EVENTS:
        raise RuntimeError(f"expected {EVENTS} {expected}, got {json.dumps(answer)[:500]}")
    return EVENTS / seconds


def copy_per_second(connection: psycopg.Connection, first: int) -> float:
    """COPY the same rows into a plain table: no check, no key, no position."""
    start = start_of_today()
    rows = [event(number, start=start) for number in range(first, first + EVENTS)]
    begun = time.perf_counter()
    with (
        connection.transaction(),
        connection.cursor() as cursor,
        cursor.copy(f"copy bench_bare_event ({', '.join(COLUMNS)}) from stdin") as copy,
    ):
        for row in rows:
            copy.write_row([row[column] for column in COLUMNS])
    return EVENTS / (time.perf_counter() - begun)
