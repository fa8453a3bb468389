"""Taking an event back."""

import pytest

from ledger.domain.company import CompanyRef
from ledger.selectors.journal import find_event, journal_position
from ledger.services.record import record
from ledger.services.reverse import reverse
from tests.ledger.conftest import NOW, make_draft, open_company

pytestmark = pytest.mark.django_db


def recorded(company: CompanyRef, **changes: object) -> str:
    (outcome,) = record(company_id=company.id, drafts=[make_draft(**changes)], actor="feed", now=NOW)
    return outcome.event_id


@pytest.mark.parametrize("reference", ["txn-1", None])
def test_a_reversal_is_the_opposite_with_reason_and_person(company: CompanyRef, reference: str | None) -> None:
    event_id = recorded(company, external_ref=reference, currency="EUR", category="food")
    outcome = reverse(company_id=company.id, event_id=event_id, reason=" typo ", actor="cfo@acme.test", now=NOW)
    entry = find_event(company_id=company.id, event_id=outcome.event_id)
    original = find_event(company_id=company.id, event_id=event_id)
    assert entry is not None
    assert original is not None
    assert (outcome.status, outcome.position, entry.reverses) == ("recorded", 2, event_id)
    assert (entry.direction, original.direction) == ("in", "out")
    assert (entry.reason, entry.actor) == ("typo", "cfo@acme.test")
    for name in (
        "amount",
        "currency",
        "base_amount",
        "fx_rate",
        "occurred_at",
        "account",
        "category",
        "event_type",
    ):
        assert getattr(entry, name) == getattr(original, name)


def test_an_event_is_reversed_once(company: CompanyRef) -> None:
    event_id = recorded(company)
    first = reverse(company_id=company.id, event_id=event_id, reason="typo", actor="a", now=NOW)
    second = reverse(company_id=company.id, event_id=event_id, reason="again", actor="b", now=NOW)
    assert (second.status, second.event_id, second.position) == ("duplicate", first.event_id, 2)
    assert journal_position(company_id=company.id) == 2


def test_a_reversal_cannot_be_reversed(company: CompanyRef) -> None:
    first = reverse(company_id=company.id, event_id=recorded(company), reason="typo", actor="a", now=NOW)
    second = reverse(company_id=company.id, event_id=first.event_id, reason="typo", actor="a", now=NOW)
    assert (second.status, second.problems[0].field) == ("rejected", "event_id")


@pytest.mark.parametrize("event_id", ["00" * 32, "", "no hexadecimal digits", "é"])
def test_it_refuses_an_unknown_event(company: CompanyRef, event_id: str) -> None:
    outcome = reverse(company_id=company.id, event_id=event_id, reason="typo", actor="a", now=NOW)
    assert (outcome.status, outcome.problems[0].field) == ("rejected", "event_id")


def test_it_refuses_the_event_of_another_company(company: CompanyRef) -> None:
    event_id = recorded(company)
    stranger = open_company("globex")
    outcome = reverse(company_id=stranger.id, event_id=event_id, reason="typo", actor="a", now=NOW)
    assert outcome.status == "rejected"
    assert journal_position(company_id=stranger.id) == 0


@pytest.mark.parametrize("reason", ["", "   ", "x" * 256, "a\0b"])
def test_it_needs_a_reason(company: CompanyRef, reason: str) -> None:
    outcome = reverse(company_id=company.id, event_id=recorded(company), reason=reason, actor="a", now=NOW)
    assert (outcome.status, outcome.problems[0].field) == ("rejected", "reason")
