from collections.abc import Callable
from tests.browser.conftest import Demo
from tests.browser.test_accessibility import scrolls_sideways, violations
def test_shots(demo: Demo, visit: Callable) -> None:
    bad = []
    for scheme in ("light", "dark"):
        for width in (375, 768, 1440):
            page = visit(width=width, scheme=scheme).sign_in(demo, role="finance")
            for path in ("/books", "/ledger", "/ledger/warnings", "/books?day=2026-11-01&known=2026-11-20"):
                page.goto(f"{demo.url}{path}"); page.wait_for_timeout(900)
                name = path.strip("/").replace("/", "-").split("?")[0] + ("-known" if "known" in path else "")
                page.screenshot(path=f"/tmp/books_shots/{name}-{scheme}-{width}.png", full_page=True)
                bad += [(path, width, scheme, v) for v in violations(page)]
                if scrolls_sideways(page): bad.append((path, width, "sideways"))
    assert bad == []
