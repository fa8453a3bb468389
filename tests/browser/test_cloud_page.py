"""The page of the cloud in a browser: a plan is read, approved, seen to be applied, and rolled back."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.fixtures import Settings

from capstack.demo.cloud import seed_groups
from cloudpolicy.services.aws import client
from cloudpolicy.services.planning import plan_scaling
from tests.browser.conftest import Demo, served
from tests.browser.looks import assert_clean, resize, scrolls_sideways, violations
from tests.cloudpolicy.calibrated import calibrate
from tests.conftest import LiveApp
from tests.tight_demo import create_tight_demo

BEFORE, AFTER = (3, 12, 8), (2, 8, 4)
SLOW_MS = 20_000


@pytest.fixture(autouse=True)
def cloud(monkeypatch: pytest.MonkeyPatch, settings: Settings, moto_url: str) -> None:
    """Give the groups of the demo at an address that web server and worker, started after this, are told of."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_url)
    settings.AWS_ENDPOINT_URL = moto_url
    seed_groups(endpoint=moto_url, region="us-east-1")


@pytest.fixture
def demo(live_app: LiveApp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Demo:
    """A demo that has something to plan on whatever day this runs."""
    now = timezone.now()
    made = create_tight_demo(monkeypatch=monkeypatch, now=now, sign_ins_path=tmp_path / "sign-ins.json")
    return served(made, live_app, now=now)


def production() -> tuple[int, int, int]:
    (group,) = client("autoscaling", region="us-east-1").describe_auto_scaling_groups(
        AutoScalingGroupNames=["capstack-production-asg"]
    )["AutoScalingGroups"]
    return group["MinSize"], group["MaxSize"], group["DesiredCapacity"]


def is_clean(page: Page, *, width: int, scheme: str) -> None:
    """Hold a page to the rules as it stands: a new one would show something else."""
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    resize(page, width)
    assert violations(page) == []
    assert not scrolls_sideways(page)


def test_a_plan_is_approved_seen_applied_and_rolled_back(
    demo: Demo, visit: Callable, start_worker: Callable[[str], object]
) -> None:
    calibrate(company_id=demo.company_id, now=timezone.now())
    plan = plan_scaling(company_id=demo.company_id, now=timezone.now())
    assert [call["group"] for call in plan.calls][-1] == "capstack-production-asg"
    start_worker("scaling")
    page: Page = visit().sign_in(demo, role="admin")
    page.keyboard.press("g")
    page.keyboard.press("c")
    page.wait_for_url(f"{demo.url}/cloud")

    def show() -> None:
        page.goto(f"{demo.url}/cloud")
        expect(page.locator("#bands-chart .main-svg").first).to_be_visible()

    assert_clean(page, show)

    page.set_viewport_size({"width": 1440, "height": 1000})
    expect(page.locator("#cloud")).to_contain_text(plan.digest)
    page.get_by_label("Why you agree").fill("less runway")
    page.get_by_role("button", name="Approve exactly this plan").click()
    expect(page.get_by_role("status").first).to_contain_text("is approved")
    assert production() == BEFORE
    page.get_by_label("Why now").fill("less runway")
    with page.expect_navigation():
        page.get_by_role("button", name="Apply it").click()
    # The page renews itself: nobody reloads it.
    page.evaluate("window.stayed = true")
    expect(page.locator("#cloud")).to_contain_text(f"Plan {plan.plan_id}: applied", timeout=SLOW_MS)
    expect(page.locator("#cloud")).to_contain_text("Nothing to change", timeout=SLOW_MS)
    assert page.evaluate("window.stayed") is True
    assert production() == AFTER
    is_clean(page, width=375, scheme="dark")

    page.set_viewport_size({"width": 1440, "height": 1000})
    page.get_by_label("Why it is taken back").fill("money came")
    page.get_by_role("button", name=f"Roll plan {plan.plan_id} back").click()
    expect(page.locator("#cloud")).to_contain_text(
        f"Roll-back of plan {plan.plan_id}: rolled back", timeout=SLOW_MS
    )
    assert production() == BEFORE
    # By the keyboard alone: what the roll-back leaves alone is opened, given a reason, and lifted.
    lift = page.locator("summary", has_text="Let the policy decide about it again: capstack-production-asg")
    expect(lift).to_be_visible(timeout=SLOW_MS)
    lift.focus()
    page.keyboard.press("Enter")
    is_clean(page, width=375, scheme="light")
    page.keyboard.press("Tab")
    page.keyboard.type("load is over")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("The policy decides about it again")
    page.get_by_role("link", name="rolled back").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Run")
    is_clean(page, width=1440, scheme="dark")
    page.get_by_role("link", name=f"Plan {plan.plan_id}").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Plan {plan.plan_id}")
    is_clean(page, width=375, scheme="light")

    plain = visit(javascript=False).sign_in(demo)
    plain.goto(f"{demo.url}/cloud")
    expect(plain.locator("#bands-table table")).to_be_visible()
    expect(plain.locator("#bands-chart")).to_be_hidden()
