"""Every page, in both colour schemes and three widths: no axe violation, no sideways scrolling, no complaint."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.conftest import Demo
from tests.browser.looks import COLOURS, LOOKS, assert_clean, violations

# The admin's links glide from one scheme's colour to the other's.
NO_TRANSITIONS = """() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("* { transition: none !important; }");
    document.adoptedStyleSheets.push(sheet);
}"""


def test_the_runway_page_is_clean(demo: Demo, visit: Callable) -> None:
    page = visit().sign_in(demo)

    def show() -> None:
        page.goto(demo.url)
        expect(page.locator("#chart .main-svg").first).to_be_visible()
        page.locator(".chart-table summary").click()

    assert_clean(page, show)


def test_the_import_page_is_clean(demo: Demo, visit: Callable) -> None:
    page = visit().sign_in(demo, role="finance")

    def show() -> None:
        page.goto(f"{demo.url}/imports")
        page.locator(".upload summary").click()

    assert_clean(page, show)


def test_sign_in_and_errors_are_clean(demo: Demo, visit: Callable) -> None:
    each = visit()
    # Chromium itself writes a line to the console for a document with an error status.
    each.watch.expected = ("the server responded with a status of 404",)
    assert_clean(each.page, lambda: each.page.goto(f"{demo.url}/sign-in"))
    assert_clean(each.page, lambda: each.page.goto(f"{demo.url}/no-such-page"))
    expect(each.page.locator("h1")).to_have_text("There is no such page")


def test_every_page_of_the_admin_obeys_the_same_policy(demo: Demo, visit: Callable) -> None:
    page = visit().sign_in(demo, role="admin")
    page.goto(f"{demo.url}/admin/")
    expect(page.locator("#site-name")).to_contain_text("capstack")
    links = page.locator("#content-main a").evaluate_all("(links) => links.map((link) => link.href)")
    paths = sorted({link for link in links if "/admin/" in link})
    assert any("capitalevent" in path for path in paths)
    faint = []
    for path in paths:
        page.goto(path)
        page.evaluate(NO_TRANSITIONS)
        for scheme, _, _ in LOOKS:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            faint += violations(page, COLOURS)
    assert faint == []
