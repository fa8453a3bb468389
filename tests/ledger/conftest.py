"""A company to write into, and drafts a person can read."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from ledger.breaker import CircuitBreaker
from ledger.domain.company import CompanyRef
from ledger.domain.event import EventDraft, parse_event
from ledger.selectors.companies import company_ref
from ledger.services.companies import create_company

NOW = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


def open_company(slug: str = "acme", *, currency: str = "USD", timezone: str = "America/New_York") -> CompanyRef:
    create_company(slug=slug, name=slug.title(), currency=currency, timezone=timezone, now=NOW)
    return company_ref(slug=slug)


@pytest.fixture(autouse=True)
def rested_breaker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test wait out the rest that another one's dead Redis brought."""
    monkeypatch.setattr("ledger.jobs._breaker", CircuitBreaker(rest_seconds=2.0))


@pytest.fixture
def company(db: None) -> CompanyRef:
    """A company in New York that keeps its books in dollars."""
    return open_company()


@pytest.fixture
def committed_company(committed_db: str) -> CompanyRef:
    """The same in a database of its own, in which everything may commit."""
    return open_company()


@pytest.fixture
def draft() -> Callable[..., EventDraft]:
    return make_draft


def make_draft(**changes: Any) -> EventDraft:
    """A coffee of 4.50 dollars on 1 June 2026, with what a test wants different."""
    raw: dict[str, Any] = {
        "source": "bank-feed",
        "event_type": "expense",
        "amount": "4.50",
        "currency": "USD",
        "occurred_at": "2026-06-01T14:00:00Z",
        "external_ref": "txn-1",
        **changes,
    }
    return parse_event({name: value for name, value in raw.items() if value is not None}, now=NOW)
