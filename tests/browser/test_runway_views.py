"""What a reader can do on the page: switch views, use the keyboard, choose colours, print, do without scripts."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

from playwright.sync_api import expect

from forecasting.selectors.plans import plan_in_force
from forecasting.services.explain import explain_forecasts
from forecasting.services.plans import record_plan
from forecasting.services.publish import publish_forecast
from tests.browser.conftest import Demo


def test_ranges_and_bases_are_links_that_swap_without_losing_the_chart(demo: Demo, visit: Callable) -> None:
    page = visit().sign_in(demo)
    expect(page.locator("#chart .main-svg").first).to_be_visible()
    page.evaluate("document.getElementById('chart').dataset.mark = 'the same element'")
    page.get_by_role("link", name="12 months").click()
    page.wait_for_url("**/?range=12m")
    expect(page.locator("#chart")).to_have_attribute("data-mark", "the same element")
    expect(page.get_by_role("link", name="12 months")).to_have_attribute("aria-current", "true")
    page.get_by_role("link", name="Bank cash").click()
    page.wait_for_url("**/?basis=bank&range=12m")
    expect(page.locator("h1")).to_contain_text("Bank cash")
    page.go_back()
    expect(page.locator("h1")).to_contain_text("Free cash")


def test_a_day_under_the_pointer_tells_its_figures(demo: Demo, visit: Callable) -> None:
    page = visit().sign_in(demo)
    expect(page.locator("#chart .main-svg").first).to_be_visible()
    box = page.locator("#chart").bounding_box()
    assert box is not None
    for share in (0.2, 0.5, 0.8):
        page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] * 0.5, steps=4)
        expect(page.locator("#chart .hovertext").first).to_be_visible()
    expect(page.locator("#chart .hovertext").first).to_contain_text("90 %: ")


def test_what_people_wrote_in_a_plan_stays_text(demo: Demo, visit: Callable) -> None:
    stored = plan_in_force(company_id=demo.company_id)
    assert stored is not None
    milestone = '<a href="https://evil.example">A</a> & <b>B</b>'
    tranches = [tranche | {"milestone": milestone} for tranche in stored.raw["tranches"]]
    now = datetime.now(UTC)
    record_plan(company_id=demo.company_id, raw=stored.raw | {"tranches": tranches}, actor="test", now=now)
    publish_forecast(company_id=demo.company_id, now=now)
    page = visit().sign_in(demo)
    page.goto(f"{demo.url}/?range=12m")
    expect(page.locator("#chart .annotation", has_text=milestone).first).to_be_visible()
    expect(page.locator("a[href*=evil]")).to_have_count(0)
    expect(page.locator("h3", has_text=milestone).first).to_be_visible()


def test_the_keyboard_reaches_everything(demo: Demo, visit: Callable) -> None:
    page = visit().sign_in(demo, role="admin")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()
    page.get_by_role("button", name="What does this mean?").first.focus()
    page.keyboard.press("Enter")
    note = page.locator(".note:popover-open")
    expect(note).to_be_visible()
    page.keyboard.press("Escape")
    expect(note).to_have_count(0)
    page.keyboard.press("g")
    page.keyboard.press("a")
    page.wait_for_url("**/admin/")


def test_chosen_colours_stay_and_reach_the_chart_and_the_admin(demo: Demo, visit: Callable) -> None:
    page = visit().sign_in(demo, role="admin")
    ink = "getComputedStyle(document.querySelector('#chart .ytick text')).fill"
    expect(page.locator("#chart .ytick text").first).to_be_visible()
    light = page.evaluate(ink)
    with page.expect_response("**/theme"):
        page.get_by_role("button", name="Dark").click()
    page.wait_for_function(f"(light) => {ink} !== light", arg=light)
    for path in ("/", "/admin/"):
        page.goto(f"{demo.url}{path}")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(14, 16, 20)"


def test_it_prints_on_two_pages_without_controls_and_in_light_colours(demo: Demo, visit: Callable) -> None:
    explain_forecasts(company_id=demo.company_id, now=datetime.now(UTC))
    page = visit(scheme="dark").sign_in(demo)
    expect(page.locator("#chart .main-svg").first).to_be_visible()
    expect(page.get_by_role("heading", name="What would help")).to_be_visible()
    document = page.pdf(prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type\s*/Page\b", document)) == 2
    page.emulate_media(media="print")
    expect(page.locator("header.side")).to_be_hidden()
    expect(page.locator(".views")).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_without_scripts_the_table_stands_in_for_the_chart(demo: Demo, visit: Callable) -> None:
    page = visit(javascript=False).sign_in(demo)
    expect(page.locator("#chart")).to_be_hidden()
    rows = page.locator("table.figures tbody tr")
    expect(rows).to_have_count(26)
    page.get_by_role("link", name="12 months").click()
    page.wait_for_url("**/?range=12m")
    page.get_by_role("button", name="Dark").click()
    page.wait_for_url("**/?range=12m")
    expect(page.locator('meta[name="theme"]')).to_have_attribute("content", "dark")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")


def test_nothing_moves_when_the_figures_arrive(demo: Demo, visit: Callable) -> None:
    each = visit()
    each.page.context.add_init_script(
        "window.shift = 0; new PerformanceObserver((list) => {"
        " for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;"
        "}).observe({ type: 'layout-shift', buffered: true });"
    )
    page = each.sign_in(demo)
    expect(page.locator("#chart .main-svg").first).to_be_visible()
    page.wait_for_timeout(1_500)
    assert page.evaluate("window.shift") < 0.01
