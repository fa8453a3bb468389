"""The books of a company with a million events: what the page, its warnings and its verification cost the server.

Goal: a page p95 <= 50 ms. CAPSTACK_BENCH_BOOKS makes the journal smaller.
"""

import json
import os
import time
from datetime import date, timedelta
from typing import Any

from bench.full_journal import fill_journal
from bench.stack import running_stack, told_apart
from bench.ten_million import company_id_of

EVENTS = int(os.environ.get("CAPSTACK_BENCH_BOOKS", "1000000"))
# As many as a company of this size pays: the daily sums grow with them, not with the events.
VENDORS = 300
STEPS = 100
ASKED = 60

GOALS = {"books_p95_ms": "<= 50", "ledger_p95_ms": "<= 50", "warnings_p95_ms": "<= 50"}


def run() -> dict[str, Any]:
    """Measure; returns figures by name."""
    with running_stack() as stack, stack.connect() as connection:
        company = company_id_of(connection, "bench")
        fill_journal(connection, company_id=company, rows=EVENTS, vendors=VENDORS)
        env = {**stack.env, "ALLOWED_HOSTS": "testserver"}
        figures: dict[str, Any] = told_apart(pages, company, env=env)
        return figures


def pages(company_id: int) -> None:
    """Print, as JSON, the 95th percentiles of pages as the whole application answers them, without the network."""
    import django
    import numpy as np

    django.setup()
    from django.db import connection
    from django.test import Client
    from django.utils import timezone

    from ledger.models.company import Membership, Role
    from ledger.models.user import User
    from ledger.services import daily_flows
    from ledger.services.match import follow_journal

    # As many steps as ten million events take, so that the sums are changed as often.
    daily_flows.POSITIONS_PER_STEP = EVENTS // STEPS
    daily_flows.catch_up(company_id=company_id)
    follow_journal(company_id=company_id, now=timezone.now())
    user = User.objects.create_user("bench@example.com", "a long password for a bench")
    Membership.objects.create(company_id=company_id, user=user, role=Role.FINANCE)
    client = Client()
    client.force_login(user)
    with connection.cursor() as cursor:
        # Statistics are there within a minute of a company's first events; the sums are read as summing left them.
        cursor.execute("ANALYZE ledger_dailyflow, ledger_accountday")
        cursor.execute("SELECT count(*), pg_relation_size('ledger_dailyflow') / 1e6 FROM ledger_dailyflow")
        sums, megabytes = cursor.fetchone()

    def p95_ms(path: str) -> float:
        took = []
        for _ in range(ASKED + 3):
            begun = time.perf_counter()
            response = client.get(path)
            took.append(time.perf_counter() - begun)
            assert response.status_code == 200, response.content[:500]
        return float(np.percentile(took[3:], 95)) * 1000

    today = timezone.now().date()
    quarter = today - timedelta(days=100)
    figures = {
        "events": EVENTS,
        "daily_sums": sums,
        "daily_sums_megabytes": float(megabytes),
        "books_p95_ms": p95_ms("/books"),
        "books_of_a_quarter_ago_p95_ms": p95_ms(f"/books?day={quarter}"),
        "books_as_known_a_day_ago_p95_ms": p95_ms(f"/books?known={date.fromordinal(today.toordinal() - 1)}"),
        "ledger_p95_ms": p95_ms("/ledger"),
        "warnings_p95_ms": p95_ms("/ledger/warnings"),
    }
    print(json.dumps(figures))
