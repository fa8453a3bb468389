"""The first what-ifs of a web process that has just started, over HTTP: cold, and once it has warmed up.

A fresh process is asked for a company that its warm-up has seen, and for one that it has not.
"""

import time
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from json import dumps
from pathlib import Path
from typing import Any

import psutil

from bench.ports import free_port
from bench.publishing import Tenant, asked, peak_mb, tenants_made
from bench.stack import Stack, running_stack, with_readiness
from capstack.processes import web_program
from capstack.supervision.program import RunningProgram
from capstack.warm_up import AFTER_SECONDS

GOALS = {"warm_first_ms": "<= 200", "warm_other_company_ms": "<= 200", "web_peak_mb": "<= 400"}
# More than the warm-up looks at, so that one of them is new to it.
COMPANIES = 5
WARM_UP_SECONDS = 5.0


def first_answers() -> dict[str, Any]:
    """Figures by name."""
    with running_stack() as stack:
        tenants = tenants_made(stack, companies=COMPANIES)
        published = HTTPConnection("127.0.0.1", stack.port)
        for tenant in tenants:
            asked(published, tenant, "GET", "/api/v1/runway")
        cold = _fresh_process(stack, [tenants[-1]], idle_seconds=0.0)
        warm = _fresh_process(stack, [tenants[-1], tenants[0]], idle_seconds=AFTER_SECONDS + WARM_UP_SECONDS)
        return {
            "cold_first_ms": cold["ms"][0],
            "warm_first_ms": warm["ms"][0],
            "warm_other_company_ms": warm["ms"][1],
            "web_peak_mb": warm["peak_mb"],
        }


def _fresh_process(stack: Stack, tenants: list[Tenant], *, idle_seconds: float) -> dict[str, Any]:
    """Milliseconds of one what-if per tenant in a web process of its own, and its largest size."""
    port = free_port()
    program = web_program(
        env=stack.env, log=Path(stack.env["DATA_DIR"]) / f"web-{port}.log", host="127.0.0.1", port=port
    )
    server = RunningProgram(program=with_readiness(program, f"http://127.0.0.1:{port}/livez"))
    try:
        server.wait_ready()
        time.sleep(idle_seconds)
        return {
            "ms": [_what_if_ms(port, tenant) for tenant in tenants],
            "peak_mb": max(peak_mb(child.pid) for child in psutil.Process(server.pid).children(recursive=True)),
        }
    finally:
        server.stop()


def _what_if_ms(port: int, tenant: Tenant) -> float:
    soon = datetime.now(UTC).date() + timedelta(days=40)
    body = dumps({"changes": [{"kind": "cost_cut", "start": soon.isoformat(), "share": 0.1}]})
    connection = HTTPConnection("127.0.0.1", port)
    began = time.perf_counter()
    asked(connection, tenant, "POST", "/api/v1/scenarios", body=body)
    return (time.perf_counter() - began) * 1000
