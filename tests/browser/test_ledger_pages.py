"""The ledger's pages in a browser: clean in both themes and three widths, and usable with and without scripts."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from ledger.domain.event import parse_event
from ledger.models.review import ReviewItem
from ledger.services.match import follow_journal
from ledger.services.record import record
from tests.browser.conftest import Demo
from tests.browser.looks import assert_clean

PATHS = ("/ledger", "/ledger/warnings", "/reconcile", "/reconcile/review")


def doubt(demo: Demo) -> None:
    """Two feeds that tell of one payment, and a transfer whose other side is missing."""
    now = datetime.now(UTC)

    def write(ref: str, days: int, **fields: Any) -> None:
        raw = {
            "source": "plaid",
            "event_type": "expense",
            "amount": "1840.77",
            "currency": "USD",
            "account": "bank",
            "counterparty": "Gusto",
            "occurred_at": (now - timedelta(days=days)).isoformat(),
            "external_ref": ref,
            **fields,
        }
        drafts = [parse_event(raw, now=now)]
        record(company_id=demo.company_id, drafts=drafts, actor="t", now=now, create_accounts=True)

    write("p", 12)
    write("c", 11, source="csv")
    write("o", 15, event_type="transfer", direction="out", account="stripe", amount="77.77", source="stripe")
    follow_journal(company_id=demo.company_id, now=now)


def test_every_page_of_the_ledger_is_clean(demo: Demo, visit: Callable) -> None:
    doubt(demo)
    page: Page = visit().sign_in(demo, role="finance")

    def show_an_event() -> None:
        page.goto(f"{demo.url}/ledger")
        page.locator("table.journal tbody th a").first.click()
        expect(page.locator("#place")).to_be_visible()

    for path in PATHS:
        assert_clean(page, partial(page.goto, f"{demo.url}{path}"))
    assert_clean(page, show_an_event)


def test_a_search_finds_without_a_new_page_and_stays_in_the_address(demo: Demo, visit: Callable) -> None:
    doubt(demo)
    page: Page = visit().sign_in(demo, role="finance")
    page.keyboard.press("g")
    page.keyboard.press("l")
    expect(page.locator("h1")).to_have_text("Ledger")
    # Keys are heard once the page's scripts have run.
    page.wait_for_load_state()
    page.evaluate("window.stayed = true")
    page.keyboard.press("/")
    page.keyboard.type("1840.77")
    page.keyboard.press("Enter")
    expect(page.locator("table.journal tbody tr")).to_have_count(2)
    expect(page).to_have_url(re.compile("q=1840.77"))
    page.select_option("#source", "csv")
    expect(page.locator("table.journal tbody tr")).to_have_count(1)
    assert page.evaluate("window.stayed") is True
    page.reload()
    expect(page.locator("table.journal tbody tr")).to_have_count(1)


@pytest.mark.parametrize("javascript", [True, False])
def test_a_twin_is_reversed_from_the_queue(demo: Demo, visit: Callable, javascript: bool) -> None:
    doubt(demo)
    page: Page = visit(javascript=javascript).sign_in(demo, role="finance")
    page.goto(f"{demo.url}/reconcile/review?kind=twins")
    card = page.locator(".question-card").filter(has_text="1,840.77").first
    card.get_by_role("button", name="Same money: reverse it").click()
    expect(page.locator(".told")).to_contain_text("settled")
    item = ReviewItem.objects.get(company_id=demo.company_id, kind="twins", amount="1840.77")
    assert (item.state, item.actor) == ("accepted", f"page:{demo.sign_in('finance').email}")
    page.goto(f"{demo.url}/ledger?q=1840.77")
    expect(page.locator("table.journal .is-reversal")).to_have_count(1)
