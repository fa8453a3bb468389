"""Splitting, accepting, explaining and undoing in a browser, with and without scripts, by mouse and keyboard."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from ledger.domain.event import parse_event
from ledger.importers.csv_mapping import CsvChoices
from ledger.models.event import CapitalEvent
from ledger.models.matching import EventSplit, TransferMatch
from ledger.models.review import ReviewItem
from ledger.selectors.companies import company_ref
from ledger.services.daily_flows import catch_up
from ledger.services.import_events import import_events
from ledger.services.match import follow_journal
from ledger.services.record import record
from tests.browser.conftest import Demo
from tests.browser.looks import assert_clean


def write(demo: Demo, ref: str, *, days: float, **fields: Any) -> str:
    now = datetime.now(UTC)
    raw = {
        "source": "bank-feed",
        "event_type": "expense",
        "currency": "USD",
        "account": "bank",
        "occurred_at": (now - timedelta(days=days)).isoformat(),
        "external_ref": ref,
        **fields,
    }
    (outcome,) = record(
        company_id=demo.company_id, drafts=[parse_event(raw, now=now)], actor="t", now=now, create_accounts=True
    )
    return outcome.event_id


@pytest.fixture
def payment(demo: Demo) -> str:
    """A card bill of which a part reached the card, and two deposits that want the same two payouts."""
    event_id = write(demo, "bill", days=20, amount="1040.40", counterparty="Brex card bill", category="card")
    write(
        demo, "paid", days=19, amount="990.15", event_type="transfer", direction="in", account="card",
        source="brex", counterparty="Payment received",
    )  # fmt: skip
    for number, amount in enumerate(("311.11", "422.22")):
        write(
            demo, f"out{number}", days=17, amount=amount, event_type="transfer", direction="out", account="stripe",
            source="stripe", counterparty=f"Payout {number + 1}",
        )  # fmt: skip
    for number in range(2):
        write(
            demo, f"in{number}", days=16 - number, amount="733.33", event_type="transfer", direction="in",
            counterparty="STRIPE",
        )  # fmt: skip
    follow_journal(company_id=demo.company_id, now=datetime.now(UTC))
    return event_id


def test_every_page_of_a_split_is_clean(demo: Demo, visit: Callable, payment: str) -> None:
    page: Page = visit().sign_in(demo, role="finance")
    for path in (
        f"/ledger/events/{payment}/split",
        "/reconcile/review?kind=batch",
        f"/ledger/events/{payment}",
    ):
        assert_clean(page, partial(page.goto, f"{demo.url}{path}"))


@pytest.mark.parametrize("javascript", [True, False])
def test_a_payment_is_split_by_keyboard_and_put_together_again(
    demo: Demo, visit: Callable, payment: str, javascript: bool
) -> None:
    page: Page = visit(javascript=javascript).sign_in(demo, role="finance")
    page.goto(f"{demo.url}/ledger/events/{payment}")
    page.get_by_role("link", name="Split it").press("Enter")
    expect(page.locator("#counts-1")).to_be_visible()
    page.locator("#counts-1").select_option(label=next(
        label for label in page.locator("#counts-1 option").all_inner_texts() if label.startswith("990.15")
    ))  # fmt: skip
    page.locator("#category-2").fill("fees")
    page.locator("#category-2").press("Enter")
    card = page.locator("section", has=page.locator("#split"))
    expect(card).to_contain_text("50.25")
    expect(card).to_contain_text("990.15")
    split = EventSplit.objects.get(company_id=demo.company_id, ended_at=None)
    assert list(split.parts.values_list("amount", flat=True)) == [Decimal("990.15"), Decimal("50.25")]
    page.locator("#together-reason").fill("one bill")
    page.locator("#together-reason").press("Enter")
    expect(page.locator(".told")).to_contain_text("one thing again")
    assert not EventSplit.objects.filter(company_id=demo.company_id, ended_at=None).exists()


@pytest.mark.parametrize("javascript", [True, False])
def test_a_batch_is_accepted_taken_apart_and_asked_about_again(
    demo: Demo, visit: Callable, payment: str, javascript: bool
) -> None:
    page: Page = visit(javascript=javascript).sign_in(demo, role="finance")
    page.goto(f"{demo.url}/reconcile/review?kind=batch")
    page.get_by_role("button", name="One batch").first.click()
    expect(page.locator(".told")).to_contain_text("settled")
    payout = CapitalEvent.objects.get(company_id=demo.company_id, external_ref="out0")
    page.goto(f"{demo.url}/ledger/events/{bytes(payout.event_id).hex()}")
    page.locator("#apart").fill("another bank")
    page.get_by_role("button", name="Take apart").click()
    expect(page.locator(".told")).to_contain_text("no longer")
    assert not TransferMatch.objects.filter(
        company_id=demo.company_id, out_position=payout.position, ended_at=None
    )
    page.goto(f"{demo.url}/reconcile/review?state=dismissed&kind=batch")
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator(".told")).to_contain_text("open again")
    item = ReviewItem.objects.filter(company_id=demo.company_id, kind="batch", state="open")
    assert item.exists()


def bank_files(demo: Demo, shared_data: Path) -> None:
    """A real OFX export and a real CAMT statement."""
    company = company_ref(slug="demo")
    ofx = (shared_data / "ofx" / "ofxparse" / "checking.ofx").read_bytes()
    files = [("ofx", ofx), ("camt053", (shared_data / "camt053/camt_parser/053/valid_example.xml").read_bytes())]
    for name, content in files:
        import_events(
            company=company,
            stream=BytesIO(content),
            actor="t",
            now=datetime.now(UTC),
            format_name=name,
            account=None,
            choices=CsvChoices(),
        )
    catch_up(company_id=company.id)
    follow_journal(company_id=company.id, now=datetime.now(UTC))


def test_the_books_of_imported_statements_are_clean(
    demo: Demo, visit: Callable, payment: str, shared_data: Path
) -> None:
    bank_files(demo, shared_data)
    page: Page = visit().sign_in(demo, role="finance")

    def show() -> None:
        page.goto(f"{demo.url}/reconcile")
        for summary in page.locator(".book details summary").all():
            summary.click()

    assert_clean(page, show)


@pytest.mark.parametrize("javascript", [True, False])
def test_a_break_is_explained_by_keyboard(demo: Demo, visit: Callable, payment: str, javascript: bool) -> None:
    page: Page = visit(javascript=javascript).sign_in(demo, role="finance")
    page.goto(f"{demo.url}/reconcile")
    card = page.locator("section.book").filter(has=page.get_by_role("heading", name="card USD"))
    expect(card.locator(".break")).to_contain_text("990.15")
    card.get_by_label("Explain the difference").fill("paid by the parent company")
    card.get_by_label("Explain the difference").press("Enter")
    expect(page.locator(".told")).to_contain_text("explained")
    expect(card.locator(".break")).to_have_count(0)
    assert ReviewItem.objects.get(company_id=demo.company_id, kind="break").state == "explained"
