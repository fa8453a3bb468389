"""A company a person can check: five months of rent, payroll and sales, and a plan with a tranche."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from forecasting.services.plans import record_plan
from ledger.domain.company import CompanyRef
from ledger.domain.event import parse_event
from ledger.services.companies import create_company
from ledger.services.record import record

# The end of the as-of date in New York has passed, the next day has begun.
NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
AS_OF = date(2026, 3, 31)
FIRST_DAY = date(2025, 11, 1)

PLAN: dict[str, Any] = {
    "company": "acme",
    "base_currency": "USD",
    "as_of": "2026-03-31",
    "history_start": "2025-11-01",
    "opening_balance": {"USD": "120000.00"},
    "tranches": [
        {
            "date": "2026-06-01",
            "amount": "200000.00",
            "probability": 0.7,
            "delay": {"dist": "gamma", "mean_days": 18, "sd_days": 9},
            "milestone": "Second closing",
        }
    ],
}


def small_company(slug: str = "acme", *, plan: dict[str, Any] | None = PLAN) -> CompanyRef:
    """Create it with its events, and with its plan unless that is None."""
    company = create_company(slug=slug, name="Acme", currency="USD", timezone="America/New_York", now=NOW)
    outcomes = record(
        company_id=company.id,
        drafts=[parse_event(raw, now=NOW) for raw in _events()],
        actor="test",
        now=NOW,
    )
    assert {outcome.status for outcome in outcomes} == {"recorded"}
    if plan is not None:
        record_plan(company_id=company.id, raw=plan | {"company": slug}, actor="test", now=NOW)
    return company


def spend(
    company: CompanyRef,
    amount: str,
    *,
    on: date = AS_OF,
    ref: str = "extra",
    now: datetime = NOW,
    payee: str = "Furniture Inc",
) -> int:
    """Record one expense and return its position."""
    raw = _event("expense", amount, on, "office", payee, ref)
    (outcome,) = record(company_id=company.id, drafts=[parse_event(raw, now=now)], actor="test", now=now)
    assert outcome.position is not None
    return outcome.position


def _events() -> Iterator[dict[str, Any]]:
    for offset in range((AS_OF - FIRST_DAY).days + 1):
        day = FIRST_DAY + timedelta(days=offset)
        if day.day == 1:
            yield _event("expense", "4000.00", day, "rent", "Landlord LLC", f"rent-{day}")
        if day.day in (15, 28):
            yield _event("expense", "15000.00", day, "payroll", "Payroll Provider", f"pay-{day}")
        if day.weekday() < 5:
            amount = Decimal("300.00") + Decimal(day.day * 7 % 40)
            yield _event("income", str(amount), day, "revenue", "Customers", f"sale-{day}")


def _event(
    event_type: str, amount: str, day: date, category: str, counterparty: str, external_ref: str
) -> dict[str, Any]:
    return {
        "source": "bank",
        "event_type": event_type,
        "amount": amount,
        "currency": "USD",
        "occurred_at": f"{day}T12:00:00-05:00",
        "category": category,
        "counterparty": counterparty,
        "external_ref": external_ref,
    }
