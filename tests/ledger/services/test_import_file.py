"""Files from the browser: kept, checked, confirmed, imported, by whichever worker comes first."""

import io
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ledger.domain.company import CompanyRef
from ledger.importers.csv_mapping import CsvChoices
from ledger.importers.row import FileRefused
from ledger.models.event import CapitalEvent
from ledger.models.import_file import ImportChunk, ImportFile
from ledger.services import import_file as import_file_module
from ledger.services.import_file import (
    LEASE,
    MAX_ATTEMPTS,
    abandoned_imports,
    confirm_import,
    discard_import,
    receive_file,
    run_import,
)
from tests.ledger.conftest import NOW

pytestmark = pytest.mark.django_db
SAMPLE = (Path(__file__).parents[1] / "importers" / "samples" / "capstack.csv").read_bytes()


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
    assert abandoned_imports(now=NOW) == ((file_id, "checking"),)
    ImportFile.objects.filter(id=file_id).update(claimed_at=NOW)
    assert abandoned_imports(now=NOW + LEASE) == ()
    assert run_import(file_id=file_id, clock=clock) == "nothing to do"
    late = NOW + LEASE + timedelta(seconds=1)
    assert abandoned_imports(now=late) == ((file_id, "checking"),)
    assert run_import(file_id=file_id, clock=lambda: late) == "checked"


def test_work_that_keeps_breaking_off_is_given_up(company: CompanyRef, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise RuntimeError("disk full")

    file_id = receive(company)
    monkeypatch.setattr(import_file_module, "import_events", fail)
    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(RuntimeError, match="disk full"):
            run_import(file_id=file_id, clock=clock)
        assert abandoned_imports(now=NOW) == ((file_id, "checking"),)
    assert run_import(file_id=file_id, clock=clock) == "refused"
    assert "broke off 5 times" in ImportFile.objects.get(id=file_id).reason
