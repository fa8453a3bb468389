"""The books in a browser: clean in both themes and three widths, every chart drawn, and usable without scripts."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, expect

from capstack.demo.story import ZONE
from ledger.domain.event import parse_event
from ledger.services.record import record
from tests.browser.conftest import Demo
from tests.browser.looks import assert_clean

CHARTS = 5


def refund(demo: Demo) -> None:
    """Give the company a vendor that gives back more than it ever cost in a month."""
    now = datetime.now(UTC)
    for number, (days, changes) in enumerate(
        [(40, {}), (2, {"event_type": "adjustment", "direction": "in", "amount": "900"})]
    ):
        raw = {
            "source": "csv",
            "event_type": "expense",
            "amount": "1000",
            "currency": "USD",
            "account": "bank",
            "category": "refundable",
            "counterparty": "Segment",
            "occurred_at": (now - timedelta(days=days)).isoformat(),
            "external_ref": f"refund-{number}",
            **changes,
        }
        record(company_id=demo.company_id, drafts=[parse_event(raw, now=now)], actor="t", now=now)


def test_the_books_are_clean_and_every_chart_is_drawn(demo: Demo, visit: Callable) -> None:
    refund(demo)
    page: Page = visit().sign_in(demo, role="finance")

    def show() -> None:
        page.goto(f"{demo.url}/books")
        expect(page.locator(".chart:has(.main-svg)")).to_have_count(CHARTS)
        expect(page.locator("details.warned summary")).to_contain_text("1 data warning")
        for summary in page.locator("details summary").all():
            if summary.is_visible():
                summary.click()

    assert_clean(page, show)


def test_another_day_comes_without_a_new_page_and_stays_in_the_address(demo: Demo, visit: Callable) -> None:
    page: Page = visit().sign_in(demo)
    page.keyboard.press("g")
    page.keyboard.press("b")
    expect(page.locator("h1")).to_have_text("Books")
    page.wait_for_load_state()
    page.evaluate("window.stayed = true")
    drawn = page.locator("#unearned-figure").inner_text()
    page.get_by_role("link", name="End of last month").click()
    expect(page.locator("[aria-current=true]", has_text="End of last month")).to_be_visible()
    expect(page).to_have_url(re.compile("day="))
    expect(page.locator("#unearned-figure")).not_to_have_text(drawn)
    expect(page.locator(".chart:has(.main-svg)").nth(CHARTS - 2)).to_be_visible()
    today = datetime.now(ZONE).date()
    page.fill("#day", "")
    page.fill("#known", (today - timedelta(days=2)).isoformat())
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#books")).to_contain_text("Nothing of it was known")
    assert page.evaluate("window.stayed") is True
    page.reload()
    expect(page.locator("#books")).to_contain_text("Nothing of it was known")


def test_without_scripts_tables_stand_in_for_charts_and_days_can_be_chosen(demo: Demo, visit: Callable) -> None:
    page: Page = visit(javascript=False).sign_in(demo)
    page.goto(f"{demo.url}/books")
    expect(page.locator(".chart").first).to_be_hidden()
    expect(page.get_by_role("region", name="Unearned revenue, month by month, as a table")).to_be_visible()
    page.fill("#day", "2026-01-01")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile("day=2026-01-01"))
    page.get_by_role("link", name="What the data warns of").click()
    expect(page.locator("h1")).to_have_text("What the data warns of")
