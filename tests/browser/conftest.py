"""A real Chromium on a real server; every page it visits is watched for errors and for what the CSP forbids."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from capstack.demo.company import DemoCompany, create_demo
from capstack.demo.people import SignIn
from forecasting.services.publish import publish_forecast
from ledger.services.tokens import create_token
from tests.conftest import LiveApp

# Playwright runs an event loop in this thread, which Django would otherwise take for an async view.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

# On a machine that does much else; what an expectation waits for comes within a second on an idle one.
PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)

HEIGHTS = {375: 812, 768: 1024, 1440: 1000}
REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sourceFile, lineNumber }) =>
  console.error(`CSP: ${violatedDirective} forbids ${blockedURI} ${sourceFile}:${lineNumber}`));
"""


@dataclass(frozen=True)
class Demo:
    """The demo company with its first forecast published."""

    url: str
    company_id: int
    sign_ins: tuple[SignIn, ...]
    token: str

    def sign_in(self, role: str) -> SignIn:
        return next(sign_in for sign_in in self.sign_ins if sign_in.role == role)


@dataclass
class Watch:
    """What a page complained about. `expected` are parts of complaints that a test means to cause."""

    complaints: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()

    def unexpected(self) -> list[str]:
        return [text for text in self.complaints if not any(part in text for part in self.expected)]


@dataclass
class Visit:
    page: Page
    watch: Watch

    def sign_in(self, demo: Demo, *, role: str = "founder") -> Page:
        sign_in = demo.sign_in(role)
        self.page.goto(f"{demo.url}/sign-in")
        self.page.fill("[name=username]", sign_in.email)
        self.page.fill("[name=password]", sign_in.password)
        self.page.click("button[type=submit]")
        self.page.wait_for_url(f"{demo.url}/")
        return self.page


@pytest.fixture(scope="session")
def browser(chromium_path: str) -> Iterator[Browser]:
    # Chromium refuses its sandbox to root, which is who runs tests in a container.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=chromium_path, args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture
def demo(live_app: LiveApp, tmp_path: Path) -> Demo:
    """Three months of the demo company, made and forecast as `make run` makes it."""
    now = datetime.now(UTC)
    return served(create_demo(now=now, months=3, sign_ins_path=tmp_path / "sign-ins.json"), live_app, now=now)


def served(made: DemoCompany, live_app: LiveApp, *, now: datetime) -> Demo:
    publish_forecast(company_id=made.company_id, now=now)
    token = create_token(company_id=made.company_id, name="browser test", scopes=("ingest", "read"), now=now)
    return Demo(url=live_app.url, company_id=made.company_id, sign_ins=made.sign_ins, token=token)


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Visit]]:
    """Give a function that opens a watched page; a test fails when one of its pages complained."""
    visits: list[Visit] = []

    def opened(*, width: int = 1440, scheme: str = "light", javascript: bool = True) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": HEIGHTS[width]},
            color_scheme=scheme,  # type: ignore[arg-type]
            java_script_enabled=javascript,
            reduced_motion="reduce",
        )
        context.add_init_script(REPORT_VIOLATIONS)
        page = context.new_page()
        watch = Watch()
        page.on(
            "console",
            lambda message: (
                watch.complaints.append(f"{message.type}: {message.text} ({page.url})")
                if message.type in ("error", "warning")
                else None
            ),
        )
        page.on("pageerror", lambda error: watch.complaints.append(f"exception: {error} ({page.url})"))
        visits.append(Visit(page=page, watch=watch))
        return visits[-1]

    yield opened
    complaints = [complaint for each in visits for complaint in each.watch.unexpected()]
    for each in visits:
        each.page.context.close()
    assert complaints == []
