"""Taking an event back from its page."""

import pytest

from ledger.domain.company import CompanyRef
from ledger.models.event import CapitalEvent
from tests.ledger.admin.conftest import SignIn

pytestmark = pytest.mark.django_db


def address(event_key: str) -> str:
    return f"/admin/ledger/capitalevent/{event_key}/reverse/"


def test_it_asks_for_a_reason_on_a_page_that_shows_the_event(event_key: str, sign_in: SignIn) -> None:
    client = sign_in("finance")
    content = client.get(address(event_key)).content.decode()
    assert "Expense out of 4.5" in content
    assert "Blue Bottle" in content
    refused = client.post(address(event_key), {"reason": " "})
    assert (refused.status_code, CapitalEvent.objects.count()) == (422, 1)


def test_it_appends_the_opposite_with_reason_and_name(
    company: CompanyRef, event_key: str, sign_in: SignIn
) -> None:
    client = sign_in("finance")
    answer = client.post(address(event_key), {"reason": "Booked on the wrong company"})
    assert answer.url == f"/admin/ledger/capitalevent/{company.id}-2/change/"
    event, reversal = CapitalEvent.objects.order_by("position")
    assert bytes(reversal.reverses) == bytes(event.event_id)
    assert (reversal.direction, reversal.amount) == ("in", event.amount)
    assert (reversal.reason, reversal.actor) == ("Booked on the wrong company", "admin:finance@example.com")
    assert "Booked on the wrong company" in client.get(answer.url).content.decode()


def test_a_second_time_shows_the_first_reversal(event_key: str, sign_in: SignIn) -> None:
    client = sign_in("finance")
    first = client.post(address(event_key), {"reason": "once"})
    second = client.post(address(event_key), {"reason": "twice"})
    assert second.url == first.url
    assert "had been taken back before" in client.get(second.url).content.decode()
    assert CapitalEvent.objects.count() == 2


def test_a_reversal_is_not_reversed(company: CompanyRef, event_key: str, sign_in: SignIn) -> None:
    client = sign_in("finance")
    client.post(address(event_key), {"reason": "once"})
    answer = client.post(address(f"{company.id}-2"), {"reason": "back again"})
    assert answer.status_code == 422
    assert "is a reversal itself" in answer.content.decode()
    assert (
        "Reverse this event"
        not in client.get(f"/admin/ledger/capitalevent/{company.id}-2/change/").content.decode()
    )


def test_a_stranger_is_turned_away(event_key: str, sign_in: SignIn) -> None:
    assert sign_in("stranger").post(address(event_key), {"reason": "mine"}).status_code == 403
    assert CapitalEvent.objects.count() == 1
