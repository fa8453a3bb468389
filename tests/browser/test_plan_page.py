"""The journey of a plan in a browser: edited in place, looked at while typing, saved, and brought back."""

from collections.abc import Callable
from functools import partial

from playwright.sync_api import expect

from tests.browser.conftest import Demo
from tests.browser.looks import assert_clean


def test_finance_moves_a_tranche_and_sees_what_it_does_before_saving(demo: Demo, visit: Callable) -> None:
    page = visit().sign_in(demo, role="finance")
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Plan").click()
    page.get_by_role("link", name="Edit Series B").click()
    effect = page.locator("#plan-effect")
    expect(effect).to_contain_text("Change something")
    page.get_by_label("Odds that it comes").fill("5")
    expect(effect).to_contain_text("Saved like this")
    expect(effect).to_contain_text("Cautious")
    page.get_by_label("Amount").fill("lots")
    expect(effect).to_contain_text("Amount must be an amount such as 12,500.00")
    # What is typed stays while answers arrive.
    expect(page.get_by_label("Amount")).to_have_value("lots")
    page.get_by_label("Amount").fill("1,000,000")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".told")).to_contain_text("Saved as version 2")
    expect(page.locator("#tranches-0")).to_contain_text("5")
    page.get_by_role("link", name="Who changed what").click()
    page.get_by_role("button", name="Bring it back version 1").click()
    expect(page.locator(".told")).to_contain_text("Saved as version 3")
    page.get_by_role("link", name="Add a hire").click()
    page.get_by_role("link", name="Leave it").click()
    expect(page.locator("#row-form")).to_have_count(0)
    page.get_by_role("button", name="Take out Series B").click()
    expect(page.locator("section[aria-labelledby=tranches]")).to_contain_text(
        "Funding that depends on a milestone"
    )


def test_the_page_is_clean(demo: Demo, visit: Callable) -> None:
    page = visit().sign_in(demo, role="finance")

    def show(address: str) -> None:
        page.goto(f"{demo.url}/{address}")
        expect(page.locator(".timeline svg").first).to_be_visible()

    for address in ("plan?edit=tranches-0&versions=1", "plan?edit=books"):
        assert_clean(page, partial(show, address))
