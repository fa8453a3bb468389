"""What a publication asks of a ledger that says over which days 24,000 payments are earned.

Two companies: one bills a thousand subscriptions a month for two years, the other sells 24,000 years of service in
two years, two thirds of which are still earned on days that are asked for. Beside it the same days read payment by
payment, as the page of deferred revenue reads them: what it is held to.

Goals: a publication asks for 150 ms at most where payments are monthly, 300 ms where they are yearly.
"""

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from bench.stack import running_stack, told_apart

PERIODS = int(os.environ.get("CAPSTACK_BENCH_PERIODS", "24000"))
DAYS = 730
GOALS = {"monthly_ms": "<= 150", "yearly_ms": "<= 300"}
# As `forecasting.services.history` asks: the day itself, and as far back as a chart goes.
CURVE_DAYS = 121
ASKED = 15


def run() -> dict[str, Any]:
    """Measure; returns figures by name."""
    with running_stack() as stack:
        figures: dict[str, Any] = told_apart(ask, env=stack.env)
        return figures


def ask() -> None:
    """Print the figures as JSON; in a process with the stack's settings."""
    import django

    django.setup()
    from ledger.selectors.deferred_revenue import deferred_revenue
    from ledger.selectors.liabilities import liabilities

    now = datetime.now(UTC)
    today = now.date()
    figures: dict[str, Any] = {"periods": PERIODS}
    for name, length in (("monthly", 30), ("yearly", 365)):
        company_id = company_with_periods(name, length=length, now=now)

        def answer(company_id: int = company_id) -> object:
            return liabilities(company_id=company_id, timezone="UTC", at=today, days=CURVE_DAYS)

        def by_payment(company_id: int = company_id) -> object:
            first, end = today - timedelta(days=CURVE_DAYS - 1), today + timedelta(days=1)
            return deferred_revenue(company_id=company_id, timezone="UTC", start=first, end=end)

        figures[f"{name}_ms"] = median_ms(answer)
        figures[f"{name}_by_payment_ms"] = median_ms(by_payment)
    print(json.dumps(figures))


def company_with_periods(name: str, *, length: int, now: datetime) -> int:
    """Record payments, evenly over two years, each earned over as many days; return the company."""
    from django.db import connection

    from ledger.domain.event import parse_event
    from ledger.models.service_period import ServicePeriod
    from ledger.services.companies import create_company
    from ledger.services.daily_flows import catch_up
    from ledger.services.record import record

    company = create_company(slug=f"owed-{name}", name=name, currency="USD", timezone="UTC", now=now)
    events, periods = [], []
    for number in range(PERIODS):
        day = now.date() - timedelta(days=number * DAYS // PERIODS)
        raw = {
            "source": "stripe",
            "event_type": "income",
            "amount": "49.00",
            "currency": "USD",
            "occurred_at": f"{day}T00:00:00Z",
            "category": "revenue",
            "counterparty": f"Customer {number % 1000}",
            "external_ref": f"ch-{number}",
        }
        events.append(parse_event(raw, now=now))
        periods.append(period(company.pk, number, start=day, length=length, now=now))
    for first in range(0, PERIODS, 1000):
        record(company_id=company.pk, drafts=events[first : first + 1000], actor="bench", now=now)
    ServicePeriod.objects.bulk_create(periods, batch_size=5000)
    catch_up(company_id=company.pk)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE ledger_serviceperiod, ledger_externalobject, ledger_capitalevent")
    return company.pk


def period(company_id: int, number: int, *, start: date, length: int, now: datetime) -> Any:
    from ledger.models.service_period import ServicePeriod

    return ServicePeriod(
        company_id=company_id,
        source="stripe",
        external_ref=f"ch-{number}",
        line=f"il-{number}",
        document=f"in-{number}",
        amount=Decimal(49),
        currency="USD",
        start=start,
        end=start + timedelta(days=length),
        revision=0,
        recorded_at=now,
        actor="bench",
    )


def median_ms(asked: Callable[[], object]) -> float:
    took = []
    for _ in range(ASKED + 2):
        begun = time.perf_counter()
        asked()
        took.append(time.perf_counter() - begun)
    return sorted(took[2:])[ASKED // 2] * 1000
