"""Single events over HTTP: latency at a constant rate, and throughput against a bare INSERT on the same server.

Open loop: waiting counts. Tokens, idempotency and exchange rates are on: a tenth of the events is in euros, the
books are in dollars.

Goals: p95 <= 8 ms and p99 <= 12 ms at 500 events/s; throughput on 8 connections within 1.5 x of bare.
"""

import json
from typing import Any

from bench.bare_table import BARE_TABLE
from bench.events import event, start_of_today
from bench.load import closed_loop, open_loop, post
from bench.stack import Stack, running_stack

OPEN_LOOPS_PER_SECOND = (300, 500)
OPEN_LOOP_SECONDS = 12.0
CLOSED_LOOP_SECONDS = 4.0
ROUNDS = 3

GOALS = {
    "at_300_p95_ms": "<= 12",
    "at_500_p95_ms": "<= 8",
    "at_500_p99_ms": "<= 12",
    "bare_over_events": "<= 1.5",
}


def run() -> dict[str, Any]:
    """Measure; returns figures by name."""
    with running_stack() as stack, stack.connect() as connection:
        connection.execute(BARE_TABLE)
        return measure(stack)


def measure(stack: Stack) -> dict[str, Any]:
    start = start_of_today()
    fresh = iter(range(1 << 30))

    def request(path: str) -> Any:
        return lambda _: post(path, json.dumps(event(next(fresh), start=start)).encode(), token=stack.token)

    ours, bare = request("/api/v1/events"), request("/bench/bare-insert")
    closed_loop(ours, port=stack.port, seconds=2)
    closed_loop(bare, port=stack.port, seconds=1)
    figures: dict[str, Any] = {}
    for rate in OPEN_LOOPS_PER_SECOND:
        latency = open_loop(ours, port=stack.port, per_second=rate, seconds=OPEN_LOOP_SECONDS)
        figures[f"at_{rate}_statuses"] = latency.statuses
        figures |= {f"at_{rate}_p{percent}_ms": latency.percentile_ms(percent) for percent in (50, 95, 99)}
    rounds = [
        (
            closed_loop(ours, port=stack.port, seconds=CLOSED_LOOP_SECONDS).requests_per_second,
            closed_loop(bare, port=stack.port, seconds=CLOSED_LOOP_SECONDS).requests_per_second,
        )
        for _ in range(ROUNDS)
    ]
    ratios = sorted(bare_rate / our_rate for our_rate, bare_rate in rounds)
    return {
        **figures,
        "events_per_second_8_connections": sorted(rate for rate, _ in rounds)[ROUNDS // 2],
        "bare_insert_per_second_8_connections": sorted(rate for _, rate in rounds)[ROUNDS // 2],
        "bare_over_events": ratios[ROUNDS // 2],
    }
