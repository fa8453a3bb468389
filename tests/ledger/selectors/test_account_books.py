"""An account's badge: what is stated against the journal, habits and feeds."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ledger.domain.company import CompanyRef
from ledger.selectors.account_books import AccountBook, account_books, days_between
from ledger.services.daily_flows import catch_up
from ledger.services.match import follow_journal
from ledger.services.record import record
from ledger.services.review import explain_break
from ledger.services.statements import state_balance
from tests.ledger.conftest import NOW, make_draft

pytestmark = pytest.mark.django_db
START = date(2026, 5, 1)


def daily(company: CompanyRef, days: int, **changes: Any) -> None:
    drafts = [
        make_draft(
            external_ref=f"{n}", amount="10", occurred_at=f"{START + timedelta(days=n)}T15:00:00Z", **changes
        )
        for n in range(days)
    ]
    outcomes = record(company_id=company.id, drafts=drafts, actor="t", now=NOW, create_accounts=True)
    assert {outcome.status for outcome in outcomes} == {"recorded"}


def state(
    company: CompanyRef, day: int, amount: str, *, account: str | None = "bank", origin: str = "ofx"
) -> None:
    state_balance(
        company_id=company.id,
        currency="USD",
        amount=Decimal(amount),
        day=START + timedelta(days=day),
        account=account,
        origin=origin,
        actor="t",
        now=NOW,
    )


def books(company: CompanyRef, *, day: int = 40) -> dict[str, AccountBook]:
    catch_up(company_id=company.id)
    follow_journal(company_id=company.id, now=NOW)
    now = datetime(2026, 5, 1, 18, tzinfo=UTC) + timedelta(days=day)
    found = account_books(company_id=company.id, timezone=company.timezone, now=now)
    return {book.name: book for book in found}


def test_an_account_is_held_to_what_is_stated_about_it(company: CompanyRef) -> None:
    daily(company, 41)
    state(company, 0, "1000")
    state(company, 10, "900")
    state(company, 20, "795")
    state(company, 30, "695")
    book = books(company)["bank"]
    assert book.balance == 600
    assert book.reconciliation is not None
    broken = book.reconciliation.first_break
    assert broken is not None
    assert (broken.day, broken.difference, broken.origin) == (START + timedelta(days=20), -5, "ofx")
    assert book.reconciliation.reconciled_to == START + timedelta(days=10)
    assert not book.is_trustworthy
    explain_break(
        company_id=company.id,
        account_id=book.account_id,
        currency="USD",
        day=broken.day,
        origin="ofx",
        step=broken.step,
        reason="fee without a receipt",
        actor="ann",
        now=NOW,
    )
    book = books(company)["bank"]
    assert book.reconciliation is not None
    assert book.reconciliation.reconciled_to == START + timedelta(days=30)
    assert book.is_trustworthy


def test_a_plan_that_states_all_accounts_together_is_held_to_as_well(company: CompanyRef) -> None:
    daily(company, 20, account="bank")
    daily(company, 20, account="card", source="card")
    state(company, 0, "1000", account=None, origin="plan")
    state(company, 9, "820", account=None, origin="plan")
    together = books(company)["All accounts together"]
    assert together.reconciliation is not None
    assert together.reconciliation.first_break is None
    assert together.reconciliation.reconciled_to == START + timedelta(days=9)


def test_one_feed_of_two_that_falls_silent_is_named(company: CompanyRef) -> None:
    daily(company, 41, source="plaid")
    daily(company, 10, source="csv")
    book = books(company)["bank"]
    assert book.rhythm.state == "fresh"
    assert [(feed.source, feed.quiet_days) for feed in book.silent_feeds] == [("csv", 31)]


def test_an_account_nobody_used_is_shown_and_empty(company: CompanyRef) -> None:
    (book,) = books(company).values()
    assert (book.name, book.rhythm.state, book.reconciliation, book.events) == ("bank", "empty", None, 0)


def test_the_days_of_a_break_are_the_companys_days(company: CompanyRef) -> None:
    first, last = days_between(after=date(2026, 3, 7), until=date(2026, 3, 8), timezone="America/New_York")
    assert first == datetime(2026, 3, 8, 5, tzinfo=UTC)
    assert last == datetime(2026, 3, 9, 4, tzinfo=UTC)
