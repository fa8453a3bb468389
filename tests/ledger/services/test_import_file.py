"""Files from the browser: kept, checked, confirmed, imported, by whichever worker comes first."""

import io
import itertools
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ledger.domain.company import CompanyRef
from ledger.importers.csv_mapping import CsvChoices
from ledger.importers.row import FileRefused
from ledger.models.cloud_bill import CloudBill
from ledger.models.event import CapitalEvent
from ledger.models.import_file import ImportChunk, ImportFile
from ledger.services import cloud_bills
from ledger.services import import_events as import_events_module
from ledger.services import import_file as import_file_module
from ledger.services import import_run as import_run_module
from ledger.services.import_file import (
    LEASE,
    MAX_ATTEMPTS,
    abandoned_imports,
    confirm_import,
    discard_import,
    job_name,
    receive_file,
    run_import,
    stop_import,
)
from tests.ledger.conftest import NOW

pytestmark = pytest.mark.django_db
SAMPLE = (Path(__file__).parents[1] / "importers" / "samples" / "capstack.csv").read_bytes()
FOCUS = (Path(__file__).parents[1] / "importers" / "samples" / "focus.csv").read_text(encoding="utf-8")


def clock() -> datetime:
    return NOW


def receive(company: CompanyRef, content: bytes = SAMPLE, choices: CsvChoices | None = None) -> int:
    return receive_file(
        company_id=company.id,
        name="march.csv",
        stream=io.BytesIO(content),
        format_name="auto",
        account=None,
        choices=choices or CsvChoices(),
        actor="admin:theo@example.com",
        now=NOW,
    )


def test_it_goes_from_checked_by_a_persons_word_to_imported(
    company: CompanyRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_file_module, "CHUNK_BYTES", 100)
    file_id = receive(company)
    assert ImportChunk.objects.filter(import_file_id=file_id).count() > 3
    assert run_import(file_id=file_id, clock=clock) == "checked"
    checked = ImportFile.objects.get(id=file_id)
    assert (checked.format, checked.preview["recorded"], checked.report) == ("capstack", 5, None)
    assert not CapitalEvent.objects.exists()
    assert run_import(file_id=file_id, clock=clock) == "nothing to do"

    assert confirm_import(file_id=file_id, actor="admin:priya@example.com")
    assert not confirm_import(file_id=file_id, actor="admin:priya@example.com")
    assert run_import(file_id=file_id, clock=clock) == "done"
    done = ImportFile.objects.get(id=file_id)
    assert (done.report["recorded"], done.lines_read, done.finished_at) == (5, 5, NOW)
    assert set(CapitalEvent.objects.values_list("actor", flat=True)) == {"admin:priya@example.com"}


def test_a_file_that_is_not_what_it_says_is_not_even_kept(company: CompanyRef) -> None:
    with pytest.raises(FileRefused, match="PDF"):
        receive(company, b"%PDF-1.7")
    assert not ImportFile.objects.exists()


def test_a_file_that_is_too_large_is_not_kept(company: CompanyRef, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_file_module, "MAX_UPLOAD_BYTES", 100)
    with pytest.raises(FileRefused, match="larger than"):
        receive(company)
    assert not ImportFile.objects.exists()


def test_a_check_that_finds_too_little_refuses_with_the_reason(company: CompanyRef) -> None:
    file_id = receive(company, b"Date,Amount\n2026-01-05,900.00\n")
    assert run_import(file_id=file_id, clock=clock) == "refused"
    assert "--positive" in ImportFile.objects.get(id=file_id).reason


def test_choices_survive_the_queue(company: CompanyRef) -> None:
    choices = CsvChoices(columns={"amount": "How much", "occurred_at": "Date"}, positive_is="out")
    file_id = receive(company, b"Date,How much,Amount\n2026-01-05,900.00,1\n", choices)
    assert run_import(file_id=file_id, clock=clock) == "checked"
    confirm_import(file_id=file_id, actor="x")
    run_import(file_id=file_id, clock=clock)
    assert (CapitalEvent.objects.get().amount, CapitalEvent.objects.get().event_type) == (900, "expense")


def test_a_discarded_file_leaves_its_row_and_no_content(company: CompanyRef) -> None:
    file_id = receive(company)
    assert not discard_import(file_id=file_id, now=NOW)
    run_import(file_id=file_id, clock=clock)
    assert discard_import(file_id=file_id, now=NOW)
    assert ImportFile.objects.get(id=file_id).state == "discarded"
    assert not ImportChunk.objects.exists()
    assert not confirm_import(file_id=file_id, actor="x")


def test_a_worker_that_died_is_followed_by_another_after_its_lease(company: CompanyRef) -> None:
    file_id = receive(company)
    assert abandoned_imports(now=NOW) == (file_id,)
    ImportFile.objects.filter(id=file_id).update(claimed_at=NOW)
    assert abandoned_imports(now=NOW + LEASE) == ()
    assert run_import(file_id=file_id, clock=clock) == "nothing to do"
    late = NOW + LEASE + timedelta(seconds=1)
    assert abandoned_imports(now=late) == (file_id,)
    assert run_import(file_id=file_id, clock=lambda: late) == "checked"


def ticking() -> Callable[[], datetime]:
    ticks = itertools.count()
    return lambda: NOW + timedelta(seconds=next(ticks))


def waiting(company: CompanyRef, monkeypatch: pytest.MonkeyPatch) -> int:
    """A confirmed file that is imported line by line."""
    for module in (import_events_module, import_run_module):
        monkeypatch.setattr(module, "LINES_PER_BATCH", 1)
    file_id = receive(company)
    run_import(file_id=file_id, clock=clock)
    confirm_import(file_id=file_id, actor="x")
    return file_id


def after_batch(number: int, act: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Act while a worker is at work, after so many batches."""
    take = import_run_module.ImportRun.take
    batches = itertools.count(1)

    def taking(run: import_run_module.ImportRun, batch: Sequence[object]) -> None:
        take(run, batch)  # type: ignore[arg-type]
        if next(batches) == number:
            act()

    monkeypatch.setattr(import_run_module.ImportRun, "take", taking)


def test_a_worker_notices_that_its_import_was_stopped_and_says_how_far_it_came(
    company: CompanyRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_id = waiting(company, monkeypatch)
    after_batch(2, lambda: stop_import(file_id=file_id, now=NOW), monkeypatch)
    assert run_import(file_id=file_id, clock=ticking()) == "lost"
    stopped = ImportFile.objects.get(id=file_id)
    assert (stopped.state, stopped.recorded, stopped.lines_read) == ("stopped", 2, 2)
    assert CapitalEvent.objects.count() == 2
    assert abandoned_imports(now=NOW + 2 * LEASE) == ()
    assert confirm_import(file_id=file_id, actor="y")
    assert run_import(file_id=file_id, clock=ticking()) == "done"
    done = ImportFile.objects.get(id=file_id)
    assert (done.recorded, done.report["recorded"], done.report["resumed_after"]) == (5, 5, 2)


def test_a_stop_is_noticed_between_the_bills_of_a_file(
    company: CompanyRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = FOCUS.splitlines(keepends=True)
    december = [line.replace("2025-12-01", "2026-01-01").replace("2025-11", "2025-12") for line in lines[1:]]
    file_id = receive(company, "".join([*lines, *december]).encode())
    assert run_import(file_id=file_id, clock=clock) == "checked"
    confirm_import(file_id=file_id, actor="x")
    settle = cloud_bills._settle

    def settled_and_stopped(*given: Any, **options: Any) -> Any:
        bill = settle(*given, **options)
        stop_import(file_id=file_id, now=NOW)
        return bill

    with monkeypatch.context() as patched:
        patched.setattr(cloud_bills, "_settle", settled_and_stopped)
        assert run_import(file_id=file_id, clock=clock) == "lost"
    assert ImportFile.objects.get(id=file_id).state == "stopped"
    months = CloudBill.objects.order_by("period_start").values_list("period_start__month", "state")
    assert list(months) == [(11, "current")]

    confirm_import(file_id=file_id, actor="x")
    assert run_import(file_id=file_id, clock=clock) == "done"
    assert list(months.all()) == [(11, "current"), (12, "current")]


def test_a_check_that_was_stopped_brings_nothing_back(
    company: CompanyRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_id = receive(company)
    after_batch(1, lambda: stop_import(file_id=file_id, now=NOW), monkeypatch)
    assert run_import(file_id=file_id, clock=ticking()) == "lost"
    assert ImportFile.objects.get(id=file_id).state == "discarded"
    assert not ImportChunk.objects.exists()


def test_a_worker_that_was_taken_for_dead_leaves_the_file_to_its_follower(
    company: CompanyRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_id = waiting(company, monkeypatch)
    taken_over = NOW + timedelta(hours=1)
    after_batch(1, lambda: ImportFile.objects.update(claimed_at=taken_over), monkeypatch)
    assert run_import(file_id=file_id, clock=ticking()) == "lost"
    assert ImportFile.objects.get().claimed_at == taken_over
    assert ImportFile.objects.get().state == "waiting"


def test_a_worker_that_is_ended_lets_go_at_once_and_it_counts_as_no_attempt(
    company: CompanyRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end() -> None:
        raise SystemExit

    file_id = waiting(company, monkeypatch)
    before = job_name(file_id=file_id)
    after_batch(3, end, monkeypatch)
    with pytest.raises(SystemExit):
        run_import(file_id=file_id, clock=ticking())
    assert abandoned_imports(now=NOW) == (file_id,)
    assert ImportFile.objects.get().attempts == 0
    # The old job is somewhere in the queue still, perhaps for an hour.
    assert job_name(file_id=file_id) != before
    assert run_import(file_id=file_id, clock=ticking()) == "done"
    assert CapitalEvent.objects.count() == 5


def test_work_that_keeps_breaking_off_is_given_up(company: CompanyRef, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise RuntimeError("disk full")

    file_id = receive(company)
    monkeypatch.setattr(import_file_module, "import_events", fail)
    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(RuntimeError, match="disk full"):
            run_import(file_id=file_id, clock=clock)
        assert abandoned_imports(now=NOW) == (file_id,)
    assert run_import(file_id=file_id, clock=clock) == "refused"
    assert "broke off 5 times" in ImportFile.objects.get(id=file_id).reason
