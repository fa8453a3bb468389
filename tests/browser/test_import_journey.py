"""A large file in a real browser: handed in, looked at, started, left, stopped, and finished later."""

import os
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from capstack.supervision.program import RunningProgram
from ledger.models.event import CapitalEvent
from ledger.models.import_file import ImportFile
from tests.browser.conftest import Demo, Visit

# Some batches; CAPSTACK_BROWSER_LINES makes it larger, with a folder for pictures in CAPSTACK_PICTURES.
LINES = int(os.environ.get("CAPSTACK_BROWSER_LINES", "60000"))
PICTURES = os.environ.get("CAPSTACK_PICTURES")
PATIENCE_MS = 60_000 + LINES


def write_csv(path: Path) -> Path:
    with path.open("w") as file:
        file.write("Date,Amount,Description,ID\n")
        for number in range(LINES):
            file.write(
                f"2026-0{number % 5 + 1}-{number % 28 + 1:02},-{number % 997 + 1}.50,Invoice {number},i{number}\n"
            )
    return path


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name}.png", full_page=True)


def test_it_is_stopped_and_finished_later(
    demo: Demo,
    visit: Callable[..., Visit],
    start_worker: Callable[[str], RunningProgram],
    tmp_path: Path,
) -> None:
    worker = start_worker("imports")
    before = CapitalEvent.objects.filter(company_id=demo.company_id).count()
    page = visit().sign_in(demo, role="finance")
    page.goto(f"{demo.url}/imports")
    page.set_input_files("input[type=file]", str(write_csv(tmp_path / "large.csv")))
    page.get_by_role("button", name="See what would happen").click()
    page.wait_for_url("**/imports/*", timeout=PATIENCE_MS)
    address = page.url
    expect(page.locator("progress")).to_be_visible()
    picture(page, "1-checking")
    confirm = page.get_by_role("button", name=f"Import {LINES:,} events")
    expect(confirm).to_be_visible(timeout=PATIENCE_MS)
    picture(page, "2-preview")
    assert CapitalEvent.objects.filter(company_id=demo.company_id).count() == before
    confirm.click()

    # Leave while it works, and come back.
    page.goto(f"{demo.url}/")
    page.goto(f"{demo.url}/imports")
    page.get_by_role("link", name="large.csv").click()
    expect(page.locator("#import .state")).to_contain_text("events recorded", timeout=PATIENCE_MS)
    picture(page, "3-importing")
    page.get_by_role("button", name="Stop the import").click()
    expect(page.locator("#import .state")).to_contain_text("are recorded and stay")
    picture(page, "4-stopped")
    # The worker notices after its batch; from then on nothing moves.
    worker.stop()
    stopped = ImportFile.objects.get()
    assert stopped.state == "stopped"
    assert 0 < stopped.recorded < LINES
    recorded = CapitalEvent.objects.filter(company_id=demo.company_id).count() - before
    assert recorded == stopped.recorded
    page.goto(address)
    expect(page.locator("#import .state")).to_contain_text(f"{recorded:,} events are recorded and stay")

    start_worker("imports")
    page.get_by_role("button", name="Go on with the import").click()
    expect(page.locator("#import .state")).to_have_text("Imported", timeout=PATIENCE_MS)
    expect(page.locator("#import")).to_contain_text(f"It went on after {recorded:,} lines")
    picture(page, "5-done")
    assert CapitalEvent.objects.filter(company_id=demo.company_id).count() == before + LINES
