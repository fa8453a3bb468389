"""The page of the cloud policy in a browser: clean in both themes and three widths, edited without a new page."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from playwright.sync_api import Page, expect

from capstack.demo.cloud import seed_groups
from forecasting.services.publish import publish_forecast
from tests.browser.conftest import Demo
from tests.browser.looks import assert_clean


@pytest.fixture(autouse=True)
def cloud(monkeypatch: pytest.MonkeyPatch, moto_url: str) -> None:
    """Give the groups of the demo at an address that the web server, which starts after this, is told of."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_url)
    seed_groups(endpoint=moto_url, region="us-east-1")


@pytest.fixture
def clouded(demo: Demo) -> Demo:
    """The demo company with a forecast of yesterday to replay."""
    publish_forecast(company_id=demo.company_id, now=datetime.now(UTC) - timedelta(days=1))
    return demo


def test_the_form_the_yaml_and_the_replay_are_clean(clouded: Demo, visit: Callable) -> None:
    page: Page = visit().sign_in(clouded, role="admin")
    address = f"{clouded.url}/cloud/policy"

    def show_yaml_and_replay() -> None:
        page.goto(address)
        page.get_by_role("button", name="YAML").click()
        expect(page.locator("#policy-text")).to_be_visible()
        page.get_by_role("button", name="Replay it over the past year").click()
        expect(page.locator("#replay-chart .main-svg").first).to_be_visible()

    assert_clean(page, partial(page.goto, address))
    assert_clean(page, show_yaml_and_replay)


# A select that is drawn as wide as its longest choice is cut off where it has less room.
CUT_OFF = """
() => [...document.querySelectorAll(".policy-form select")].filter((select) => {
  const room = select.offsetWidth;
  select.style.width = "max-content";
  const needed = select.offsetWidth;
  select.style.width = "";
  return needed > room + 1;
}).map((select) => select.name)
"""


@pytest.mark.parametrize("width", [375, 1440])
def test_every_choice_of_the_form_can_be_read_whole(clouded: Demo, visit: Callable, width: int) -> None:
    page: Page = visit(width=width).sign_in(clouded, role="admin")
    page.goto(f"{clouded.url}/cloud/policy")
    assert page.locator(".policy-form select").count() > 5
    assert page.evaluate(CUT_OFF) == []


def test_a_policy_is_changed_looked_at_and_put_in_force(clouded: Demo, visit: Callable) -> None:
    page: Page = visit().sign_in(clouded, role="admin")
    page.goto(f"{clouded.url}/cloud/policy")
    page.evaluate("window.stayed = true")
    page.get_by_label("Cooldown, minutes").fill("soon")
    page.get_by_role("button", name="Show what it would change today").last.click()
    expect(page.get_by_role("alert")).to_contain_text("pace.cooldown_minutes")
    expect(page.get_by_label("Cooldown, minutes")).to_have_value("soon")
    page.get_by_label("Cooldown, minutes").fill("90")
    page.get_by_role("button", name="Show what it would change today").last.click()
    expect(page.get_by_text("capstack-production-asg")).to_be_visible()
    page.get_by_role("button", name="+ row").click()
    expect(page.locator("[id='rows[4]']")).to_be_visible()
    page.locator("[id='rows[4]']").get_by_role("button").click()
    expect(page.locator("[id='rows[4]']")).to_have_count(0)
    assert page.evaluate("window.stayed") is True
    page.get_by_label("Why").fill("less to and fro")
    page.get_by_role("button", name="Put in force as version 2").click()
    expect(page.get_by_role("status").first).to_contain_text("Version 2 is in force")
    expect(page.get_by_label("Cooldown, minutes")).to_have_value("90")


def test_a_server_that_does_not_answer_is_told_and_nothing_typed_is_lost(clouded: Demo, visit: Callable) -> None:
    each = visit()
    each.watch.expected = ("ERR_FAILED", "Failed to fetch")
    page: Page = each.sign_in(clouded, role="admin")
    page.goto(f"{clouded.url}/cloud/policy")
    unanswered = page.get_by_text("No answer came")
    look = page.get_by_role("button", name="Show what it would change today").last
    page.route("**/cloud/policy*", lambda route: route.abort())
    page.get_by_label("Cooldown, minutes").fill("90")
    look.click()
    expect(unanswered).to_be_visible()
    expect(page.get_by_label("Cooldown, minutes")).to_have_value("90")
    page.unroute("**/cloud/policy*")
    look.click()
    expect(page.get_by_text("capstack-production-asg")).to_be_visible()
    expect(unanswered).to_be_hidden()
    expect(page.get_by_label("Cooldown, minutes")).to_have_value("90")

    page.goto(f"{clouded.url}/cloud")
    lost = page.get_by_text("connection lost, trying again; what stands here may be old")
    expect(lost).to_be_hidden()
    page.route("**/cloud?*", lambda route: route.abort())
    expect(lost).to_be_visible(timeout=20_000)
    page.unroute("**/cloud?*")
    expect(lost).to_be_hidden(timeout=20_000)
