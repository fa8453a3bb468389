"""Listing the journal page by page."""

from datetime import UTC, datetime

import pytest

from ledger.domain.company import CompanyRef
from ledger.selectors.journal import EventFilter, find_event, journal_position, journal_positions, list_events
from ledger.services.record import record
from tests.ledger.conftest import NOW, make_draft, open_company

pytestmark = pytest.mark.django_db


@pytest.fixture
def listed(company: CompanyRef) -> CompanyRef:
    drafts = [
        make_draft(
            external_ref=f"{n}",
            source=("bank-feed", "stripe")[n % 2],
            event_type=("expense", "income")[n % 2],
            currency=("USD", "EUR")[n % 2],
            account=("bank", "card")[n % 2],
            occurred_at=f"2026-0{n % 5 + 1}-10T00:00:00Z",
        )
        for n in range(25)
    ]
    record(company_id=company.id, drafts=drafts, actor="t", now=NOW, create_accounts=True)
    return company


def test_pages_follow_each_other_without_gap_or_overlap(listed: CompanyRef) -> None:
    seen: list[int] = []
    after: int | None = 0
    while after is not None:
        page = list_events(company_id=listed.id, after=after, limit=10)
        seen += [entry.position for entry in page.entries]
        after = page.next_after
    assert seen == list(range(1, 26))


def test_what_is_recorded_meanwhile_comes_last(listed: CompanyRef) -> None:
    first = list_events(company_id=listed.id, limit=20)
    record(
        company_id=listed.id,
        drafts=[make_draft(external_ref="x", occurred_at="2020-01-01T00:00:00Z")],
        actor="t",
        now=NOW,
    )
    second = list_events(company_id=listed.id, after=first.next_after or 0)
    assert [entry.position for entry in second.entries] == [21, 22, 23, 24, 25, 26]
    assert second.next_after is None


@pytest.mark.parametrize(
    ("where", "count"),
    [
        (EventFilter(), 25),
        (EventFilter(source="stripe"), 12),
        (EventFilter(event_type="expense"), 13),
        (EventFilter(account="card"), 12),
        (EventFilter(currency="EUR", event_type="expense"), 0),
        (EventFilter(external_ref="7"), 1),
        (EventFilter(occurred_from=datetime(2026, 3, 10, tzinfo=UTC)), 15),
        (EventFilter(occurred_before=datetime(2026, 3, 10, tzinfo=UTC)), 10),
    ],
)
def test_it_lists_what_is_asked_for(listed: CompanyRef, where: EventFilter, count: int) -> None:
    assert len(list_events(company_id=listed.id, where=where, limit=1000).entries) == count


def test_a_page_has_a_limit(listed: CompanyRef) -> None:
    assert len(list_events(company_id=listed.id, limit=0).entries) == 1
    assert len(list_events(company_id=listed.id, limit=10**9).entries) == 25


def test_a_company_sees_its_own_events_only(listed: CompanyRef) -> None:
    stranger = open_company("globex")
    event_id = list_events(company_id=listed.id, limit=1).entries[0].event_id
    assert list_events(company_id=stranger.id).entries == ()
    assert find_event(company_id=stranger.id, event_id=event_id) is None
    assert journal_position(company_id=stranger.id) == 0
    assert journal_positions() == {listed.id: 25, stranger.id: 0}
