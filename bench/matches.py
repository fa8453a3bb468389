"""From a transfer's second half, committed, to its match and category in the books, on an idle system.

The two halves come as events of a bank and of a payment processor, with some words of a rule in one of them; books
are kept by a worker of their own. Goal: within two seconds (p95), so that whoever looks at what has just come
finds it told.
"""

import http.client
import json
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psycopg

from bench.publishing import Tenant, asked
from bench.stack import Stack, running_stack, told_apart
from bench.ten_million import company_id_of
from capstack.processes import worker_program
from capstack.supervision.program import RunningProgram

TRANSFERS = 30
# Longer than a company waits for its turn after it has had one (ledger.jobs.PACE_SECONDS).
PAUSE_SECONDS = 1.2
POLL_SECONDS = 0.002
PATIENCE_SECONDS = 60.0

GOALS = {"told_p95_ms": "<= 2000"}


def run() -> dict[str, Any]:
    """Measure; returns figures by name."""
    with running_stack() as stack, stack.connect() as connection, tempfile.TemporaryDirectory() as logs:
        company = company_id_of(connection, "bench")
        told_apart(make_ready, company, env=stack.env)
        worker = RunningProgram(program=worker_program(env=stack.env, log=Path(logs) / "books.log", queue="books"))
        try:
            worker.wait_ready()
            told = [seconds_until_told(stack, connection, company, number) for number in range(TRANSFERS + 1)]
        finally:
            worker.stop()
    # The first waits for the worker's own imports.
    told_ms = np.array(told[1:]) * 1000
    return {
        "transfers": TRANSFERS,
        "told_p50_ms": float(np.percentile(told_ms, 50)),
        "told_p95_ms": float(np.percentile(told_ms, 95)),
        "told_worst_ms": float(told_ms.max()),
    }


def make_ready(company_id: int) -> None:
    """Give the company an account with a processor and a rule that knows payouts by a word."""
    import django

    django.setup()
    from django.utils import timezone

    from ledger.models.account import Account, AccountKind
    from ledger.models.category import CategoryRule

    Account.objects.create(
        company_id=company_id,
        name="stripe",
        kind=AccountKind.PROCESSOR,
        currency="USD",
        timezone="UTC",
        created_at=timezone.now(),
    )
    CategoryRule.objects.create(
        company_id=company_id,
        test="contains",
        pattern="payout",
        category="payouts",
        actor="bench",
        changed_at=timezone.now(),
    )
    print(json.dumps({}))


def seconds_until_told(stack: Stack, connection: psycopg.Connection, company: int, number: int) -> float:
    """Post both halves of a transfer; return how long after the second one's answer both are told."""
    time.sleep(PAUSE_SECONDS)
    answering = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=PATIENCE_SECONDS)
    # Each of its own amount, so that nothing else is like it.
    amount = f"{1000 + number}.00"
    tenant = Tenant(company_id=company, token=stack.token)
    post(answering, tenant, name=f"out-{number}", amount=amount, event_type="transfer", account="stripe")
    post(answering, tenant, name=f"in-{number}", amount=amount, event_type="income", account="bank")
    committed = time.perf_counter()
    while told(connection, company) <= number:
        if time.perf_counter() - committed > PATIENCE_SECONDS:
            raise SystemExit("the transfer was never told")
        time.sleep(POLL_SECONDS)
    answering.close()
    return time.perf_counter() - committed


def post(
    answering: http.client.HTTPConnection, tenant: Tenant, *, name: str, amount: str, event_type: str, account: str
) -> None:
    event = {
        "source": "bench",
        "event_type": event_type,
        "amount": amount,
        "currency": "USD",
        "occurred_at": datetime.now(UTC).isoformat(),
        "account": account,
        "counterparty": "Stripe payout" if event_type == "income" else "",
        "external_ref": name,
        "metadata": {"direction": "out"} if event_type == "transfer" else {},
    }
    asked(answering, tenant, "POST", "/api/v1/events", body=json.dumps(event))


def told(connection: psycopg.Connection, company: int) -> int:
    """How many transfers have both their match and their category."""
    row = connection.execute(
        "SELECT least((SELECT count(*) FROM ledger_transfermatch WHERE company_id = %(company)s),"
        " (SELECT count(*) FROM ledger_categoryassignment WHERE company_id = %(company)s))",
        {"company": company},
    ).fetchone()
    assert row is not None
    return int(row[0])
