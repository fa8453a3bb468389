"""Every page, in both colour schemes and three widths: no axe violation, no sideways scrolling, no complaint."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Demo

AXE = (next((Path(__file__).parent / "vendor").glob("axe-core-*")) / "axe.min.js").read_text()
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = (375, 768, 1440)


def violations(page: Page) -> list[str]:
    page.evaluate(AXE)
    result = page.evaluate("(tags) => axe.run(document, { runOnly: tags })", TAGS)
    return [
        f"{page.url}: {found['id']}: {node['target']} {node['failureSummary']}"
        for found in result["violations"]
        for node in found["nodes"]
    ]


def scrolls_sideways(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_runway_page_is_clean(demo: Demo, visit: Callable, scheme: str) -> None:
    for width in WIDTHS:
        page = visit(width=width, scheme=scheme).sign_in(demo)
        expect(page.locator("#chart .main-svg").first).to_be_visible()
        page.locator(".chart-table summary").click()
        assert violations(page) == []
        assert not scrolls_sideways(page), width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_sign_in_and_errors_are_clean(demo: Demo, visit: Callable, scheme: str) -> None:
    for width in WIDTHS:
        each = visit(width=width, scheme=scheme)
        # Chromium itself writes a line to the console for a document with an error status.
        each.watch.expected = ("the server responded with a status of 404",)
        each.page.goto(f"{demo.url}/sign-in")
        assert violations(each.page) == []
        each.page.goto(f"{demo.url}/no-such-page")
        expect(each.page.locator("h1")).to_have_text("There is no such page")
        assert violations(each.page) == []
        assert not scrolls_sideways(each.page), width


def test_the_admin_obeys_the_same_policy(demo: Demo, visit: Callable) -> None:
    for scheme in ("light", "dark"):
        page = visit(scheme=scheme).sign_in(demo, role="admin")
        page.goto(f"{demo.url}/admin/")
        expect(page.locator("#site-name")).to_contain_text("capstack")
        contrast = [found for found in violations(page) if "color-contrast" in found]
        assert contrast == []
