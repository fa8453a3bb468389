"""The journey of issue 2: sign in, see the bands, post an event, see them move."""

import itertools
import json
import re
import time
import urllib.request
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import Demo

FIGURE = "document.getElementById('figure').textContent"


def post_expense(demo: Demo, *, amount: str, ref: str) -> None:
    request = urllib.request.Request(
        f"{demo.url}/api/v1/events",
        data=json.dumps(
            {
                "source": "browser-test",
                "event_type": "expense",
                "amount": amount,
                "currency": "USD",
                "external_ref": ref,
            }
        ).encode(),
        headers={"Authorization": f"Bearer {demo.token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        assert response.status == 201


def drawn_median(page: Page) -> list[float]:
    """The median line as the chart library has drawn it, not as the server sent it."""
    return page.evaluate(
        "Array.from(document.getElementById('chart').data.find((trace) => trace.name === 'median').y)"
    )


def seconds_until_the_chart_moves(page: Page, demo: Demo, *, amount: str, ref: str) -> float:
    before = page.evaluate(FIGURE)
    post_expense(demo, amount=amount, ref=ref)
    started = time.monotonic()
    page.wait_for_function(f"(before) => {FIGURE} !== before", arg=before, timeout=30_000, polling=20)
    return time.monotonic() - started


def test_an_event_moves_the_bands_by_itself_within_two_seconds(
    demo: Demo, visit: Callable, start_worker: Callable
) -> None:
    start_worker("forecast")
    page = visit().sign_in(demo)
    chart = page.locator("#chart .main-svg").first
    expect(chart).to_be_visible()
    assert {"90 %", "50 %", "median", "actual", "zero"} <= set(
        page.evaluate("document.getElementById('chart').data.map((trace) => trace.name)")
    )
    median = drawn_median(page)
    headline = page.locator("h1").inner_text()

    # The first event warms the worker up; after that, other programs on the machine may still get in the way once.
    seconds_until_the_chart_moves(page, demo, amount="1000.00", ref="warm-up")
    seconds = [
        seconds_until_the_chart_moves(page, demo, amount="40000.00", ref=f"bill-{number}") for number in range(3)
    ]

    assert min(seconds) < 2.0, seconds
    assert drawn_median(page)[0] < median[0] - 100_000
    assert page.locator("h1").inner_text() != headline
    assert page.url == f"{demo.url}/"


def test_the_page_says_that_it_is_behind_until_a_worker_comes(demo: Demo, visit: Callable) -> None:
    page = visit().sign_in(demo)
    expect(page.get_by_text("updating: new events have arrived")).to_have_count(0)
    post_expense(demo, amount="500.00", ref="nobody-works")
    expect(page.get_by_text("updating: new events have arrived")).to_be_visible(timeout=20_000)


def test_a_poll_that_finds_nothing_new_gets_no_content(demo: Demo, visit: Callable) -> None:
    page = visit().sign_in(demo)
    with page.expect_response(lambda response: "seen=" in response.url, timeout=20_000) as found:
        pass
    assert found.value.status == 204


def test_who_was_signed_out_elsewhere_is_led_to_the_door(demo: Demo, visit: Callable) -> None:
    page = visit().sign_in(demo)
    page.context.clear_cookies()
    page.wait_for_url(f"{demo.url}/sign-in*", timeout=20_000)
    expect(page.locator("h1")).to_have_text("Sign in")


def test_a_server_that_does_not_answer_is_named_and_asked_less_often(demo: Demo, visit: Callable) -> None:
    each = visit()
    each.watch.expected = ("ERR_FAILED", "Failed to fetch")
    page = each.sign_in(demo)
    polls: list[float] = []
    page.route("**/*seen=*", lambda route: (polls.append(time.monotonic()), route.abort()))
    expect(page.get_by_text("connection lost, trying again")).to_be_visible(timeout=20_000)
    page.wait_for_timeout(5_000)
    waits = [later - earlier for earlier, later in itertools.pairwise(polls)]
    assert waits == sorted(waits)
    assert len(polls) <= 4
    page.unroute("**/*seen=*")
    expect(page.get_by_text("connection lost, trying again")).to_be_hidden(timeout=20_000)


def test_a_hidden_page_asks_nothing(demo: Demo, visit: Callable) -> None:
    page = visit().sign_in(demo)
    page.evaluate(
        "Object.defineProperty(document, 'hidden', { get: () => true });"
        "document.dispatchEvent(new Event('visibilitychange'));"
    )
    page.wait_for_timeout(1_500)
    polls: list[str] = []
    page.on("request", lambda request: polls.append(request.url) if "seen=" in request.url else None)
    page.wait_for_timeout(2_500)
    assert polls == []


def test_an_open_page_fills_in_what_is_said_about_its_forecast(
    demo: Demo, visit: Callable, start_worker: Callable
) -> None:
    page = visit().sign_in(demo)
    expect(page.get_by_role("heading", name="What would help")).to_have_count(0)
    page.evaluate("document.getElementById('chart').dataset.mark = 'the same element'")
    start_worker("forecast")
    post_expense(demo, amount="40000.00", ref="explain me")
    expect(page.get_by_role("heading", name="What would help")).to_be_visible(timeout=30_000)
    expect(page.locator("#chart")).to_have_attribute("data-mark", "the same element")
    expect(page.locator(".health")).to_contain_text(re.compile("data plausible|about the data"))
    expect(page.get_by_text("being worked out")).to_have_count(0)
    assert page.url == f"{demo.url}/"
