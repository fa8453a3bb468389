"""Single events over HTTP: latency at a constant rate, and throughput against a bare INSERT on the same server.

Goals: p95 <= 12 ms at 300 events/s (open loop: waiting counts); throughput on 8 connections within 1.6 x of bare.
"""

import json
from typing import Any

from bench.bare_table import BARE_TABLE
from bench.events import event, start_of_today
from bench.load import closed_loop, open_loop, post
from bench.stack import Stack, running_stack

OPEN_LOOP_PER_SECOND = 300
OPEN_LOOP_SECONDS = 20.0
CLOSED_LOOP_SECONDS = 5.0
ROUNDS = 3

GOALS = {"p95_ms": "<= 12", "bare_over_events": "<= 1.6"}


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
    latency = open_loop(ours, port=stack.port, per_second=OPEN_LOOP_PER_SECOND, seconds=OPEN_LOOP_SECONDS)
    rounds = [
        (
            closed_loop(ours, port=stack.port, seconds=CLOSED_LOOP_SECONDS).requests_per_second,
            closed_loop(bare, port=stack.port, seconds=CLOSED_LOOP_SECONDS).requests_per_second,
        )
        for _ in range(ROUNDS)
    ]
    ratios = sorted(bare_rate / our_rate for our_rate, bare_rate in rounds)
    return {
        "open_loop_per_second": OPEN_LOOP_PER_SECOND,
        "open_loop_statuses": latency.statuses,
        "p50_ms": latency.percentile_ms(50),
        "p95_ms": latency.percentile_ms(95),
        "p99_ms": latency.percentile_ms(99),
        "events_per_second_8_connections": sorted(rate for rate, _ in rounds)[ROUNDS // 2],
        "bare_insert_per_second_8_connections": sorted(rate for _, rate in rounds)[ROUNDS // 2],
        "bare_over_events": ratios[ROUNDS // 2],
    }
