"""How a page looks: in both colour schemes and three widths it has no axe violation and never scrolls sideways."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from playwright.sync_api import Page

from tests.browser.conftest import HEIGHTS

AXE = (next((Path(__file__).parent / "vendor").glob("axe-core-*")) / "axe.min.js").read_text()
EVERYTHING = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
# What a scheme changes. Django's admin decides its own markup, so there it is all that is ours.
COLOURS = {"type": "rule", "values": ["color-contrast"]}
NARROW, MIDDLE, WIDE = 375, 768, 1440
# Each scheme is loaded once, at one end of the widths, and drawn out or pushed together to the other.
LOOKS: tuple[tuple[Literal["light", "dark"], dict, tuple[int, ...]], ...] = (
    ("light", EVERYTHING, (NARROW, MIDDLE, WIDE)),
    ("dark", COLOURS, (WIDE, MIDDLE, NARROW)),
)
# Charts follow a new width a moment later.
SETTLE_MS, POLL_MS = 3_000, 100


def assert_clean(page: Page, show: Callable[[], None]) -> None:
    """Hold a page to the rules in every look.

    Args:
        show: goes to the page and brings it into the state that is meant; called once in each scheme.
    """
    for scheme, rules, widths in LOOKS:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        resize(page, widths[0])
        show()
        for width in widths:
            resize(page, width)
            assert not scrolls_sideways(page), (page.url, width, scheme)
            if width != MIDDLE:
                assert violations(page, rules) == [], (width, scheme)


def resize(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": HEIGHTS[width]})


def violations(page: Page, rules: dict = EVERYTHING) -> list[str]:
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(AXE)
    result = page.evaluate("(rules) => axe.run(document, { runOnly: rules })", rules)
    return [
        f"{page.url}: {found['id']}: {node['target']} {node['failureSummary']}"
        for found in result["violations"]
        for node in found["nodes"]
    ]


def scrolls_sideways(page: Page) -> bool:
    # Asked again and again from here: what waits inside the page is evaluated there, which its policy forbids.
    for _ in range(0, SETTLE_MS, POLL_MS):
        if not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            return False
        page.wait_for_timeout(POLL_MS)
    return True
