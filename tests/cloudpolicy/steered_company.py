"""A company of flat burn whose runway a test can set: its balance is stated as so many days of spending."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from ledger.domain.company import CompanyRef
from ledger.domain.event import EventDraft
from ledger.selectors.companies import company_ref
from ledger.services.companies import create_company
from ledger.services.record import record
from ledger.services.statements import state_balance
from tests.cloudpolicy.calibrated import calibrate

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
AS_OF = date(2026, 3, 31)
SPENT_PER_DAY = Decimal(1000)
HISTORY_DAYS = 240


def steered_company(
    *, days: int, slug: str = "acme", history_days: int = HISTORY_DAYS, calibrated: bool = True
) -> CompanyRef:
    """A company that spends 1,000 a day, has cash for about so many days, and whose p5 has proved itself."""
    create_company(slug=slug, name="Acme", currency="USD", timezone="UTC", now=NOW)
    company = company_ref(slug=slug)
    record(company_id=company.id, drafts=list(_spending(history_days)), actor="test", now=NOW)
    if calibrated:
        calibrate(company_id=company.id, now=NOW)
    steer(company, days=days)
    return company


def steer(company: CompanyRef, *, days: int) -> None:
    """State another balance."""
    state_balance(
        company_id=company.id,
        currency="USD",
        amount=SPENT_PER_DAY * days,
        day=AS_OF,
        origin="test",
        actor="test",
        now=NOW,
    )


def _spending(history_days: int) -> Iterator[EventDraft]:
    for days_ago in range(history_days):
        day = AS_OF - timedelta(days=days_ago)
        yield EventDraft(
            source="card",
            event_type="expense",
            amount=SPENT_PER_DAY,
            currency="USD",
            occurred_at=datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
            category="card",
            counterparty="Everybody",
            external_ref=f"spent-{day}",
        )
