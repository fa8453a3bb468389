"""An import that is killed in its middle goes on where it was, and nothing is counted twice."""

import io
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from ledger.domain.company import CompanyRef
from ledger.models.event import CapitalEvent
from ledger.models.import_memory import ImportCheckpoint
from ledger.services import import_events as import_events_module
from ledger.services import import_run as import_run_module
from ledger.services.import_events import import_events
from ledger.services.import_report import ImportProgress, ImportReport
from tests.ledger.conftest import NOW, open_company

REPOSITORY = Path(__file__).parents[3]


def line(number: int, **changes: object) -> str:
    event = {
        "source": "bank",
        "event_type": "expense",
        "amount": f"{number % 7 + 1}.50",
        "currency": "USD",
        "occurred_at": f"2026-0{number % 5 + 1}-01T14:00:00Z",
        **changes,
    }
    return json.dumps(event) + "\n"


class Killed(Exception):
    pass


def take(company: CompanyRef, content: str, *, kill_after: int | None = None, **options: object) -> ImportReport:
    batches = itertools.count(1)

    def on_progress(_: ImportProgress) -> None:
        if next(batches) == kill_after:
            raise Killed

    return import_events(
        company=company,
        stream=io.BytesIO(content.encode()),
        actor="tester",
        now=NOW,
        on_progress=on_progress,
        **options,  # type: ignore[arg-type]
    )


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (import_events_module, import_run_module):
        monkeypatch.setattr(module, "LINES_PER_BATCH", 10)


# Without ids, so that identical lines are told apart by their ordinal, across the place where it was killed.
CONTENT = "".join(line(number) for number in range(95)) + "{oops\n"


@pytest.mark.django_db
@pytest.mark.parametrize("killed_after", [1, 4, 9])
def test_it_goes_on_after_the_last_batch_and_reports_both_parts(
    killed_after: int, company: CompanyRef, small_batches: None
) -> None:
    with pytest.raises(Killed):
        take(company, CONTENT, kill_after=killed_after)
    assert CapitalEvent.objects.count() == killed_after * 10
    report = take(company, CONTENT)
    assert (report.read, report.recorded, report.duplicates, report.rejected_lines) == (96, 95, 0, 1)
    assert report.resumed_after == killed_after * 10
    assert CapitalEvent.objects.count() == 95
    assert not ImportCheckpoint.objects.exists()
    again = take(company, CONTENT)
    assert (again.recorded, again.duplicates, again.resumed_after) == (0, 95, 0)


@pytest.mark.django_db
def test_what_is_done_is_not_recorded_again(
    company: CompanyRef, small_batches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Killed):
        take(company, CONTENT, kill_after=5)
    recorded: list[int] = []
    record = import_run_module.record

    def counting(**call: object) -> object:
        recorded.append(len(call["drafts"]))  # type: ignore[arg-type]
        return record(**call)  # type: ignore[arg-type]

    monkeypatch.setattr(import_run_module, "record", counting)
    take(company, CONTENT)
    assert sum(recorded) == 45


@pytest.mark.django_db
@pytest.mark.parametrize("change", ["content", "account"])
def test_another_file_or_another_reading_of_it_begins_at_its_beginning(
    change: str, company: CompanyRef, small_batches: None
) -> None:
    with pytest.raises(Killed):
        take(company, CONTENT, kill_after=5)
    if change == "content":
        report = take(company, line(200) + CONTENT)
    else:
        report = take(company, CONTENT, account="bank-two")
    assert report.resumed_after == 0


@pytest.mark.django_db
def test_a_checkpoint_that_was_not_written_means_duplicates_and_no_second_event(
    company: CompanyRef, small_batches: None
) -> None:
    with pytest.raises(Killed):
        take(company, CONTENT, kill_after=5)
    ImportCheckpoint.objects.update(done=40)
    report = take(company, CONTENT)
    assert (report.duplicates, CapitalEvent.objects.count()) == (10, 95)


@pytest.mark.django_db
def test_a_dry_run_neither_leaves_nor_follows_a_checkpoint(company: CompanyRef, small_batches: None) -> None:
    with pytest.raises(Killed):
        take(company, CONTENT, kill_after=5, dry_run=True)
    assert not ImportCheckpoint.objects.exists()
    with pytest.raises(Killed):
        take(company, CONTENT, kill_after=5)
    assert take(company, CONTENT, dry_run=True).resumed_after == 0


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_the_command_can_be_ended_in_any_way_and_be_called_again(
    how: signal.Signals, code: int, committed_db: str, tmp_path: Path
) -> None:
    open_company()
    path = tmp_path / "events.ndjson"
    lines = 40_000
    path.write_text("".join(line(number, external_ref=f"e{number}") for number in range(lines)))
    command = [sys.executable, "manage.py", "import_events", str(path), "--company", "acme", "--json"]
    environment = {**os.environ, "DATABASE_URL": committed_db}
    process = subprocess.Popen(
        command,
        cwd=REPOSITORY,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A shell that runs the tests in the background has its children ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    with psycopg.connect(committed_db, autocommit=True) as observer:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            if observer.execute("SELECT count(*) FROM ledger_importcheckpoint").fetchone() == (1,):
                break
            time.sleep(0.02)
        process.send_signal(how)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == code, errors
        if how == signal.SIGINT:
            assert "interrupted: " in errors.decode()
            assert "the same command again goes on from there" in errors.decode()
        done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, timeout=120)
        report = json.loads(done.stdout)
        assert report["resumed_after"] >= 5_000
        assert report["recorded"] + report["duplicates"] == lines
        assert observer.execute("SELECT count(*) FROM ledger_capitalevent").fetchone() == (lines,)
