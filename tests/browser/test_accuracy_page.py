"""The accuracy page in a browser: clean in both themes and three widths, with and without scripts."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from capstack.demo.company import create_demo
from capstack.demo.story import ZONE
from forecasting.services.publish import publish_forecast
from forecasting.services.track_record import begin_backtest, continue_backtest, recalibrate
from ledger.selectors.companies import company_ref
from ledger.services.tokens import create_token
from tests.browser.conftest import Demo
from tests.browser.looks import assert_clean
from tests.conftest import LiveApp


@pytest.fixture
def demo(live_app: LiveApp, tmp_path: Path) -> Demo:
    """Ten months of the demo company: enough to look back on."""
    now = datetime.now(UTC)
    made = create_demo(now=now, months=10, sign_ins_path=tmp_path / "sign-ins.json")
    company = company_ref(company_id=made.company_id)
    backtest = begin_backtest(company=company, now=now, actor="test")
    continue_backtest(backtest=backtest, company=company, now=now)
    recalibrate(company=company, backtest=backtest, now=now)
    publish_forecast(company_id=company.id, now=now + timedelta(seconds=1))
    token = create_token(company_id=company.id, name="browser test", scopes=("read",), now=now)
    return Demo(url=live_app.url, company_id=company.id, sign_ins=made.sign_ins, token=token)


def test_the_record_and_a_replayed_day_are_clean(demo: Demo, visit: Callable) -> None:
    today = datetime.now(ZONE).date()
    page: Page = visit().sign_in(demo)

    def show(path: str) -> None:
        page.goto(f"{demo.url}{path}")
        if "free" not in path:
            expect(page.locator(".chart .main-svg").first).to_be_visible()

    for path in ("/accuracy", "/accuracy?basis=free&ahead=90", f"/accuracy?on={today}"):
        assert_clean(page, partial(show, path))


def test_a_horizon_and_a_day_are_chosen_without_a_new_page(demo: Demo, visit: Callable) -> None:
    page: Page = visit().sign_in(demo)
    page.keyboard.press("g")
    page.keyboard.press("y")
    expect(page.locator("h1")).to_have_text("Accuracy")
    page.wait_for_load_state()
    page.evaluate("window.stayed = true")
    page.get_by_role("link", name="60 days").click()
    expect(page.locator("#record")).to_have_text("Every forecast 60 days ahead")
    page.fill("#on", datetime.now(ZONE).date().isoformat())
    page.get_by_role("button", name="Replay that day").click()
    expect(page.locator("#replayed")).to_be_visible()
    expect(page.locator(".chart .main-svg").first).to_be_visible()
    expect(page).to_have_url(re.compile("on="))
    assert page.evaluate("window.stayed") is True
    page.get_by_role("link", name="Back to the record").click()
    expect(page.locator("#record")).to_be_visible()


def test_without_scripts_the_table_tells_the_record(demo: Demo, visit: Callable) -> None:
    page: Page = visit(javascript=False).sign_in(demo)
    page.goto(f"{demo.url}/accuracy")
    assert page.locator(".record-card table tbody tr").count() >= 4
    page.fill("#on", datetime.now(ZONE).date().isoformat())
    page.get_by_role("button", name="Replay that day").click()
    expect(page.locator("#replayed")).to_be_visible()


def test_no_two_ticks_of_a_chart_of_days_read_alike(demo: Demo, visit: Callable) -> None:
    page: Page = visit().sign_in(demo)
    page.goto(f"{demo.url}/?range=3m")
    expect(page.locator("#chart .main-svg").first).to_be_visible()
    ticks = page.locator("#chart .xtick text").all_text_contents()
    assert len(ticks) == len(set(ticks)) >= 4, ticks
    assert any(tick[0].isdigit() for tick in ticks), ticks
    page.goto(f"{demo.url}/?range=12m")
    expect(page.locator("#chart .main-svg").first).to_be_visible()
    months = page.locator("#chart .xtick text").all_text_contents()
    assert not any(tick[0].isdigit() for tick in months), "a tick a month needs no day"
