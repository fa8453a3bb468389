"""A company with a past: rent, payroll and sales over many months, recorded at once as an import would."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from ledger.domain.company import CompanyRef
from ledger.domain.event import parse_event
from ledger.services.companies import create_company
from ledger.services.record import record
from ledger.services.statements import state_balance

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
LAST_DAY = date(2026, 3, 31)


def long_company(
    slug: str = "acme", *, days: int = 540, cash: str = "900000", last_day: date = LAST_DAY, now: datetime = NOW
) -> CompanyRef:
    """Create it with `days` of events up to `last_day`, at whose end it has `cash` in the bank."""
    company = create_company(slug=slug, name=slug.title(), currency="USD", timezone="UTC", now=now)
    live(company, first=last_day - timedelta(days=days - 1), last=last_day, now=now)
    state_balance(
        company_id=company.id,
        currency="USD",
        amount=Decimal(cash),
        day=last_day,
        origin="bank",
        actor="t",
        now=now,
    )
    return company


def live(company: CompanyRef, *, first: date, last: date, now: datetime) -> None:
    """Record what happens in [first, last]."""
    drafts = []
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        if day.day == 1:
            drafts.append(_event("expense", "4000.00", day, "rent", "Landlord LLC"))
        if day.day in (15, 28):
            drafts.append(_event("expense", "15000.00", day, "payroll", "Payroll Provider"))
        if day.weekday() < 5:
            # Told apart by the day, and not by chance: 200 to 999, as even as dice.
            drafts.append(
                _event("income", f"{200 + day.toordinal() * 7919 % 800}.00", day, "revenue", "Customers")
            )
            drafts.append(_event("expense", f"{50 + day.toordinal() * 104729 % 700}.00", day, "office", "Shops"))
    outcomes = record(
        company_id=company.id, drafts=[parse_event(raw, now=now) for raw in drafts], actor="t", now=now
    )
    assert {outcome.status for outcome in outcomes} == {"recorded"}


def _event(event_type: str, amount: str, day: date, category: str, counterparty: str) -> dict[str, Any]:
    return {
        "source": "bank",
        "event_type": event_type,
        "amount": amount,
        "currency": "USD",
        "occurred_at": f"{day}T12:00:00Z",
        "category": category,
        "counterparty": counterparty,
        "external_ref": f"{category}-{day}",
    }


def receive_funding(company: CompanyRef, *, day: date, amount: str, now: datetime) -> None:
    """Record that investors paid."""
    raw = _event("income", amount, day, "funding", "Northstar Ventures")
    (outcome,) = record(company_id=company.id, drafts=[parse_event(raw, now=now)], actor="t", now=now)
    assert outcome.status == "recorded"
