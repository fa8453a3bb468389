"""Splitting an event on its page: what is typed, what is refused beside its field, and the way back."""

from typing import Any

import pytest
from django.test import Client

from ledger.domain.company import CompanyRef
from ledger.models.event import CapitalEvent
from ledger.models.matching import EventSplit, TransferMatch
from ledger.models.review import ReviewItem
from ledger.services.match import follow_journal
from tests.ledger.conftest import NOW, open_company
from tests.ledger.views.test_ledger_pages import signed_in, text, write

pytestmark = pytest.mark.django_db


@pytest.fixture
def payment(company: CompanyRef) -> str:
    """A card bill of 1,000, of which 950 reached the card."""
    event_id = write(company, ref="bill", amount="1000", account="bank", counterparty="Brex", category="card")
    write(company, ref="paid", event_type="transfer", direction="in", amount="950", account="card", source="brex")
    follow_journal(company_id=company.id, now=NOW)
    return event_id


def form(*parts: tuple[str, str, str], **more: str) -> dict[str, Any]:
    amounts, kinds, categories = zip(*parts, strict=True)
    return {
        "amount": amounts,
        "counts_as": kinds,
        "category": categories,
        "counterparty": [""] * len(parts),
        **more,
    }


def test_an_event_is_split_matched_and_put_together_again(
    client: Client, company: CompanyRef, payment: str
) -> None:
    client = signed_in(client, company, role="finance")
    path = f"/ledger/events/{payment}/split"
    assert f'href="{path}"' in text(client, f"/ledger/events/{payment}")
    page = text(client, path)
    assert "Expense, as recorded" in page
    assert '<option value="with:2">950.00' in page
    # The part with an other side takes its amount, the empty one the rest.
    done = client.post(path, form(("", "with:2", ""), ("", "expense", "fees")), follow=True)
    page = done.content.decode()
    assert done.status_code == 200
    for part in ("What it is, part by part", "950.00", "50.00", "fees", "counts as its parts"):
        assert part in page
    assert TransferMatch.objects.get(ended_at=None).origin == "page:finance@example.com"
    other = bytes(CapitalEvent.objects.get(source="brex").event_id).hex()
    assert "950.00\N{NARROW NO-BREAK SPACE}USD of 1,000.00" in text(client, f"/ledger/events/{other}")
    assert "in 2 parts" in text(client, "/ledger?month=2026-06&q=fees")
    assert "part of 1,000.00" in text(client, "/reconcile")
    split = EventSplit.objects.get()
    ended = client.post(f"/reconcile/splits/{split.pk}/end", {"reason": "one bill"}, follow=True)
    assert "one thing again" in ended.content.decode()
    again = client.post(f"/reconcile/splits/{split.pk}/end", {"reason": "one bill"}, follow=True)
    assert "no such split" in again.content.decode()
    assert "in 2 parts" not in text(client, "/ledger?month=2026-06")
    assert not TransferMatch.objects.filter(ended_at=None).exists()


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ((("900", "", ""), ("99.99", "", "")), "0.01 is missing"),
        ((("much", "", ""), ("1", "", "")), "Part 1: must be a number"),
        ((("", "", ""), ("", "", "")), "Part 1: only one amount may be left empty"),
        ((("940", "with:2", ""), ("60", "", "")), "its other side is 950.00"),
        ((("950", "with:99", ""), ("50", "", "")), "does not wait any more"),
        ((("950", "with:x", ""), ("50", "", "")), "is no side of a transfer"),
        ((("950", "gold", ""), ("50", "", "")), "must be one of expense, transfer"),
        ((("1001", "", ""), ("", "", "")), "Part 2: must be a number above zero"),
        ((("NaN", "", ""), ("1", "", "")), "Part 1: must be a number"),
        ((("900,50", "", ""), ("", "", "")), "Part 1: must be a number"),
        ((("-1", "", ""), ("1001", "", "")), "above zero"),
        ((("1e400", "", ""), ("", "", "")), "Part 1"),
        ((("999", "", "x" * 256), ("1", "", "")), "at most 255"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_typed_is_lost(
    client: Client, company: CompanyRef, payment: str, parts: Any, said: str
) -> None:
    client = signed_in(client, company, role="finance")
    response = client.post(f"/ledger/events/{payment}/split", form(*parts))
    page = response.content.decode()
    assert response.status_code == 422, page
    assert said in page
    assert f'value="{parts[0][0]}"' in page
    assert not EventSplit.objects.exists()


def test_one_more_part_keeps_what_was_typed_and_an_empty_one_is_left_out(
    client: Client, company: CompanyRef, payment: str
) -> None:
    client = signed_in(client, company, role="finance")
    path = f"/ledger/events/{payment}/split"
    more = client.post(path, form(("600", "", "rent"), ("400", "", ""), more="1")).content.decode()
    assert more.count('class="split-part"') == 3
    assert 'value="rent"' in more
    assert client.post(path, form(("600", "", "rent"), ("400", "", ""), ("", "", ""))).status_code == 302
    assert EventSplit.objects.get().parts.count() == 2


def test_only_finance_staff_of_the_company_split(client: Client, company: CompanyRef, payment: str) -> None:
    path = f"/ledger/events/{payment}/split"
    data = form(("600", "", ""), ("400", "", ""))
    assert client.post(path, data)["Location"].startswith("/sign-in")
    signed_in(client, company)
    assert f'href="{path}"' not in text(client, f"/ledger/events/{payment}")
    for response in (client.get(path), client.post(path, data), client.post("/reconcile/splits/1/end")):
        assert response.status_code == 403
    client.logout()
    signed_in(client, open_company("globex"), role="finance")
    assert client.get(path).status_code == 404
    assert client.post(path, data).status_code == 404
    assert not EventSplit.objects.exists()


def test_an_event_that_cannot_be_split_says_why(client: Client, company: CompanyRef) -> None:
    event_id = write(company, ref="c", event_type="income", amount="100", metadata={"contract": "c-1"})
    client = signed_in(client, company, role="finance")
    response = client.post(f"/ledger/events/{event_id}/split", form(("60", "", ""), ("40", "", "")))
    assert response.status_code == 422
    assert "pays for a contract" in response.content.decode()


def test_a_batch_in_doubt_is_accepted_from_the_queue(client: Client, company: CompanyRef) -> None:
    for n, amount in enumerate(("100", "200")):
        write(company, ref=f"o{n}", event_type="transfer", direction="out", amount=amount, account="stripe")
    write(company, ref="i", event_type="transfer", direction="in", amount="300", account="bank")
    write(company, ref="i2", event_type="transfer", direction="in", amount="300", account="bank")
    follow_journal(company_id=company.id, now=NOW)
    client = signed_in(client, company, role="finance")
    assert text(client, "/reconcile/review?kind=batch").count("Are these one transfer together?") == 2
    first, second = ReviewItem.objects.filter(kind="batch").order_by("subject")
    page = client.post(f"/reconcile/review/{first.id}", {"action": "accept"}, follow=True).content.decode()
    assert "The question is settled" in page
    second.refresh_from_db()
    assert second.state == "closed"
    assert TransferMatch.objects.filter(ended_at=None).count() == 2
    event_id = bytes(CapitalEvent.objects.get(position=3).event_id).hex()
    assert "Several transfers in one" in text(client, f"/ledger/events/{event_id}")
