"""The journey of a what-if in a browser: from the runway page to a kept scenario, with and without a script."""

import re
from collections.abc import Callable
from functools import partial

from playwright.sync_api import expect

from tests.browser.conftest import Demo
from tests.browser.looks import assert_clean


def test_a_founder_tries_a_cut_moves_the_slider_and_keeps_it(demo: Demo, visit: Callable) -> None:
    page = visit().sign_in(demo)
    page.get_by_role("link", name="What if").click()
    expect(page.locator("#chart .main-svg").first).to_be_visible()
    page.get_by_role("button", name="Cut costs").click()
    draft = page.locator(".compared tbody tr").nth(1)
    expect(draft).to_contain_text("Cut all costs by 10")
    page.get_by_label("Cut by, slider").fill("30")
    expect(draft).to_contain_text("Cut all costs by 30")
    expect(page).to_have_url(re.compile("0-share=30"))
    assert "csrf" not in page.url
    page.get_by_label("Keep it as").fill("Lean")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.locator(".told")).to_contain_text("Kept as Lean")
    expect(page.locator(".compared tbody tr").nth(1)).to_contain_text("Lean")
    expect(page.locator("#chart .main-svg").first).to_be_visible()
    page.get_by_role("button", name="Archive Lean").click()
    expect(page.locator("section[aria-labelledby=kept]")).to_contain_text("Nothing is kept yet")


def test_it_works_without_a_script(demo: Demo, visit: Callable) -> None:
    page = visit(javascript=False).sign_in(demo)
    page.goto(f"{demo.url}/scenarios")
    page.get_by_role("button", name="Change prices").click()
    page.get_by_label("Prices by", exact=False).last.fill("25")
    page.get_by_role("button", name="Show what it does").click()
    expect(page.locator(".compared tbody tr").nth(1)).to_contain_text("Prices up 25")
    page.locator(".chart-table summary").click()
    expect(page.locator(".chart-table table")).to_contain_text("your draft")


def test_the_page_is_clean(demo: Demo, visit: Callable) -> None:
    query = "0-kind=cost_cut&0-start=2027-01-01&0-share=700&0-scope=vendor&0-name=&add=raise"
    page = visit().sign_in(demo)

    def show(address: str) -> None:
        page.goto(f"{demo.url}/{address}")
        expect(page.locator("#chart .main-svg").first).to_be_visible()
        page.locator(".chart-table summary").click()

    for address in ("scenarios", "scenarios?add=hire", f"scenarios?{query}"):
        assert_clean(page, partial(show, address))


def test_a_phone_shows_every_figure_of_a_case_without_scrolling(demo: Demo, visit: Callable) -> None:
    page = visit(width=375).sign_in(demo)
    page.goto(f"{demo.url}/scenarios?add=slipped_tranche")
    table = page.locator(".compared .scroll-x")
    expect(table.locator("tbody tr")).to_have_count(2)
    assert table.evaluate("box => box.scrollWidth - box.clientWidth") == 0
    expect(table.locator("tbody tr").nth(1).locator("td")).to_have_count(4)
