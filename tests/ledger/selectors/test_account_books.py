"""An account's badge: what is stated against the journal, habits and feeds."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ledger.domain.company import CompanyRef
from ledger.models.matching import AccountFeed
from ledger.selectors.account_books import AccountBook, account_books, days_between
from ledger.services.daily_flows import catch_up
from ledger.services.match import follow_journal
from ledger.services.record import record
from ledger.services.reverse import reverse
from ledger.services.review import explain_break
from ledger.services.statements import state_balance
from tests.ledger.conftest import NOW, make_draft

pytestmark = pytest.mark.django_db
START = date(2026, 5, 1)


def daily(company: CompanyRef, days: int, *, every: int = 1, **changes: Any) -> None:
    drafts = [
        make_draft(
            external_ref=f"{n}", amount="10", occurred_at=f"{START + timedelta(days=n)}T15:00:00Z", **changes
        )
        for n in range(0, days, every)
    ]
    outcomes = record(company_id=company.id, drafts=drafts, actor="t", now=NOW, create_accounts=True)
    assert {outcome.status for outcome in outcomes} <= {"recorded", "duplicate"}


def state(
    company: CompanyRef,
    day: int,
    amount: str,
    *,
    account: str | None = "bank",
    origin: str = "ofx",
    hour: int | None = None,
) -> bool:
    as_of = None if hour is None else datetime(2026, 5, 1, hour, tzinfo=UTC) + timedelta(days=day)
    return state_balance(
        as_of=as_of,
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


def move(company: CompanyRef, day: int, hour: int, amount: str, **changes: Any) -> str:
    at = datetime(2026, 5, 1, hour, tzinfo=UTC) + timedelta(days=day)
    draft = make_draft(external_ref=f"{day}-{hour}-{amount}", amount=amount, occurred_at=at.isoformat(), **changes)
    (outcome,) = record(company_id=company.id, drafts=[draft], actor="t", now=NOW, create_accounts=True)
    return outcome.event_id


def first_break(company: CompanyRef) -> Any:
    held = books(company)["bank"].reconciliation
    assert held is not None
    return held.first_break


def test_a_feed_asked_at_noon_breaks_nothing_by_what_is_booked_in_the_afternoon(company: CompanyRef) -> None:
    state(company, 0, "1000", origin="plan")
    for day in range(1, 6):
        move(company, day, 14, "10", source="csv")
        move(company, day, 16, "7", source="plaid")
        move(company, day, 22, "3", source="plaid")
        # In the middle of the day's moves: neither its beginning nor its end.
        state(company, day, f"{1000 - 20 * day + 3}", origin="plaid", hour=17)
    assert first_break(company) is None
    state(company, 5, "900", origin="camt053")
    assert first_break(company) is None
    state(company, 4, "922", origin="plaid", hour=18)
    assert (first_break(company).day, first_break(company).step) == (START + timedelta(days=4), -1)


def test_a_move_that_was_taken_back_makes_no_instant(company: CompanyRef) -> None:
    state(company, 0, "1000", origin="plan")
    gone = move(company, 1, 14, "10")
    move(company, 1, 15, "5")
    reverse(company_id=company.id, event_id=gone, reason="x", actor="t", now=NOW)
    state(company, 1, "990", hour=16)
    assert first_break(company).step == -5
    state(company, 1, "995", hour=17)
    assert first_break(company) is None


def test_of_two_exports_of_one_day_the_later_one_counts_whichever_is_read_first(company: CompanyRef) -> None:
    state(company, 0, "1000")
    move(company, 1, 14, "10")
    move(company, 1, 20, "20")
    assert state(company, 1, "970", hour=21)
    assert not state(company, 1, "990", hour=15)
    held = books(company)["bank"].reconciliation
    assert held is not None
    assert [(each.stated, each.breaks) for each in held.comparisons] == [(970, False)]
    assert state(company, 1, "971", hour=22)
    assert first_break(company).stated == 971


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


def test_a_feed_twice_a_month_beside_a_daily_one_is_held_to_its_own_habits(
    company: CompanyRef,
) -> None:
    daily(company, 160, source="plaid")
    daily(company, 106, every=15, source="gusto")
    for day, quiet in ((119, False), (149, False), (151, True)):
        feed = next(feed for feed in books(company, day=day)["bank"].feeds if feed.source == "gusto")
        assert (feed.quiet_days, feed.usual_quiet_days, feed.is_silent) == (day - 105, 15, quiet)


def test_days_of_a_feed_are_kept_once_whatever_the_steps_in_which_they_came(company: CompanyRef) -> None:
    for days in (20, 30, 50):
        daily(company, days, source="plaid")
        follow_journal(company_id=company.id, now=NOW)
    kept = AccountFeed.objects.get(company_id=company.id).days
    assert kept == [START + timedelta(days=n) for n in range(49, 17, -1)]


@pytest.mark.parametrize(("source", "events"), [("admin", 10), ("shell", 1), ("shell", 4)])
def test_what_has_no_rhythm_does_not_fall_silent(company: CompanyRef, source: str, events: int) -> None:
    daily(company, 41, source="plaid")
    daily(company, events, source=source)
    book = books(company)["bank"]
    assert book.silent_feeds == ()
    assert {feed.source for feed in book.feeds} == {"plaid", source}


def test_an_account_nobody_used_is_shown_and_empty(company: CompanyRef) -> None:
    (book,) = books(company).values()
    assert (book.name, book.rhythm.state, book.reconciliation, book.events) == ("bank", "empty", None, 0)


def test_the_days_of_a_break_are_the_companys_days(company: CompanyRef) -> None:
    first, last = days_between(after=date(2026, 3, 7), until=date(2026, 3, 8), timezone="America/New_York")
    assert first == datetime(2026, 3, 8, 5, tzinfo=UTC)
    assert last == datetime(2026, 3, 9, 4, tzinfo=UTC)
