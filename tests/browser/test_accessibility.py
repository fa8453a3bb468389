"""Every page, in both colour schemes and three widths: no axe violation, no sideways scrolling, no complaint."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from playwright.sync_api import Page, expect

from tests.browser.conftest import HEIGHTS, Demo

AXE = (next((Path(__file__).parent / "vendor").glob("axe-core-*")) / "axe.min.js").read_text()
EVERYTHING = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
# Django's admin decides its own markup; its colours are ours.
COLOURS = {"type": "rule", "values": ["color-contrast"]}
WIDTHS = (375, 768, 1440)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def violations(page: Page, rules: dict = EVERYTHING) -> list[str]:
    page.evaluate(AXE)
    result = page.evaluate("(rules) => axe.run(document, { runOnly: rules })", rules)
    return [
        f"{page.url}: {found['id']}: {node['target']} {node['failureSummary']}"
        for found in result["violations"]
        for node in found["nodes"]
    ]


def looks(page: Page) -> Iterator[int]:
    """Show a page in every colour scheme and width, which is given; signing in each time takes the longest."""
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
            yield width


def scrolls_sideways(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


def test_the_runway_page_is_clean(demo: Demo, visit: Callable) -> None:
    page = visit().sign_in(demo)
    for width in looks(page):
        page.goto(demo.url)
        expect(page.locator("#chart .main-svg").first).to_be_visible()
        page.locator(".chart-table summary").click()
        assert violations(page) == []
        assert not scrolls_sideways(page), width


def test_the_import_page_is_clean(demo: Demo, visit: Callable) -> None:
    page = visit().sign_in(demo, role="finance")
    for width in looks(page):
        page.goto(f"{demo.url}/imports")
        page.locator(".upload summary").click()
        assert violations(page) == []
        assert not scrolls_sideways(page), width


def test_sign_in_and_errors_are_clean(demo: Demo, visit: Callable) -> None:
    each = visit()
    # Chromium itself writes a line to the console for a document with an error status.
    each.watch.expected = ("the server responded with a status of 404",)
    for width in looks(each.page):
        each.page.goto(f"{demo.url}/sign-in")
        assert violations(each.page) == []
        each.page.goto(f"{demo.url}/no-such-page")
        expect(each.page.locator("h1")).to_have_text("There is no such page")
        assert violations(each.page) == []
        assert not scrolls_sideways(each.page), width


def test_every_page_of_the_admin_obeys_the_same_policy(demo: Demo, visit: Callable) -> None:
    page = visit().sign_in(demo, role="admin")
    page.goto(f"{demo.url}/admin/")
    expect(page.locator("#site-name")).to_contain_text("capstack")
    links = page.locator("#content-main a").evaluate_all("(links) => links.map((link) => link.href)")
    paths = sorted({link for link in links if "/admin/" in link})
    assert any("capitalevent" in path for path in paths)
    faint = []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for path in paths:
            page.goto(path)
            faint += violations(page, COLOURS)
    assert faint == []
