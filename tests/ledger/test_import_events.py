"""The command `import_events`, as a person runs it."""

import errno
import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import pytest
from django.core.management import CommandError, call_command

from ledger.domain.company import CompanyRef
from ledger.models.event import CapitalEvent
from ledger.services.import_events import import_events
from ledger.services.import_report import ImportReport
from ledger.services.import_run import LINES_PER_BATCH
from tests.ledger.conftest import open_company

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

REPOSITORY = Path(__file__).parents[2]
SAMPLES = Path(__file__).parent / "importers" / "samples"


def run(path: Path | str, *arguments: str) -> dict[str, object]:
    out = io.StringIO()
    call_command("import_events", str(path), "--company", "acme", "--json", *arguments, stdout=out)
    return json.loads(out.getvalue())


@pytest.mark.django_db
def test_it_prints_the_report_as_json_alone(company: CompanyRef) -> None:
    report = run(SAMPLES / "ndjson.ndjson")
    assert {"read", "recorded", "duplicates", "conflicts", "rejected", "needs_review"} <= report.keys()
    assert (report["read"], report["recorded"], report["rejected"], report["needs_review"]) == (5, 5, [], 0)
    assert CapitalEvent.objects.filter(actor="import").count() == 5


@pytest.mark.django_db
def test_it_names_line_field_and_message_of_what_it_rejects(company: CompanyRef, tmp_path: Path) -> None:
    file = tmp_path / "events.txt"
    file.write_text((SAMPLES / "ndjson.ndjson").read_text() + '{"source": "x"}\n')
    rejected = run(file)["rejected"]
    assert rejected[0].keys() == {"line", "field", "message"}  # type: ignore[index]
    assert {(problem["line"], problem["field"]) for problem in rejected} == {  # type: ignore[attr-defined]
        (6, "event_type"),
        (6, "amount"),
        (6, "currency"),
    }


@pytest.mark.django_db
def test_a_dry_run_records_nothing(company: CompanyRef) -> None:
    assert run(SAMPLES / "capstack.csv", "--dry-run")["recorded"] == 5
    assert not CapitalEvent.objects.exists()


@pytest.mark.django_db
def test_it_prints_a_summary_for_people(company: CompanyRef) -> None:
    out = io.StringIO()
    call_command("import_events", str(SAMPLES / "csv.csv"), company="acme", stdout=out)
    summary = "4 lines of csv: 4 recorded, 0 duplicates, 0 conflicts, 0 rejected, 0 to review"
    assert out.getvalue().strip() == summary


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "options", "reason"),
    [
        ("no-such-file", {}, "no-such-file: No such file or directory"),
        (str(SAMPLES), {}, "is a directory: name one file"),
        (str(Path(__file__)), {}, "not a format known here"),
        (str(SAMPLES / "csv.csv"), {"company": "nobody"}, "there is no company nobody"),
        (str(SAMPLES / "csv.csv"), {"format": "ndjson"}, "can be read as ndjson"),
    ],
)
def test_a_refusal_is_one_line(path: str, options: dict[str, object], reason: str, company: CompanyRef) -> None:
    with pytest.raises(CommandError, match=reason) as refusal:
        call_command("import_events", path, **({"company": "acme"} | options))
    assert "\n" not in str(refusal.value)
    assert refusal.value.returncode == 1


@pytest.mark.django_db
@pytest.mark.django_db
def test_a_file_that_cannot_be_read_on_is_told_in_one_line(company: CompanyRef) -> None:
    # The kernel refuses to read this file where it starts.
    with pytest.raises(CommandError, match="import the file again to finish it: Input/output") as broken:
        run("/proc/self/mem", "--format", "ndjson")
    assert "\n" not in str(broken.value)


class _Disk(io.BytesIO):
    """A file whose disk breaks after so many bytes."""

    def __init__(self, content: bytes, *, breaks_after: int) -> None:
        super().__init__(content)
        self._left = breaks_after

    def read(self, size: int | None = -1, /) -> bytes:
        piece = super().read(size)
        self._left -= len(piece)
        if self._left < 0:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return piece

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        piece = self.read(len(memoryview(buffer)))
        memoryview(buffer)[: len(piece)] = piece
        return len(piece)


@pytest.mark.django_db
def test_what_was_read_before_a_disk_broke_is_kept_and_the_rest_follows(company: CompanyRef) -> None:
    (line,) = (SAMPLES / "ndjson.ndjson").read_bytes().splitlines()[:1]
    event = json.loads(line)
    lines = 4 * LINES_PER_BATCH
    content = b"".join(
        json.dumps(event | {"external_ref": f"row-{number}"}).encode() + b"\n" for number in range(lines)
    )

    def once(stream: BinaryIO) -> ImportReport:
        return import_events(company=company, stream=stream, actor="test", now=datetime.now(UTC))

    with pytest.raises(OSError, match="Input/output"):
        # It is read through once for its digest before anything is recorded.
        once(_Disk(content, breaks_after=2 * len(content) - len(content) // 3))
    kept = CapitalEvent.objects.count()
    assert 0 < kept < lines
    report = once(io.BytesIO(content))
    assert (CapitalEvent.objects.count(), report.rejected_lines) == (lines, 0)
    assert (report.recorded, report.resumed_after) == (lines, kept)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--format", "xlsx"],
        ["--column", "amount"],
        ["--column", "colour=Farbe"],
        ["--timezone", "Mars/Olympus"],
        ["--timezone", "/etc/passwd"],
        ["--date-order", "ymd"],
    ],
)
def test_wrong_usage_is_told_apart_from_a_refusal(arguments: list[str]) -> None:
    with pytest.raises(CommandError, match="argument"):
        call_command("import_events", "x", "--company", "acme", *arguments)


@pytest.mark.django_db
def test_options_say_what_a_csv_file_does_not(company: CompanyRef, tmp_path: Path) -> None:
    file = tmp_path / "card.csv"
    file.write_text("When;How much\n03/04/2026;1.234\n")
    arguments = ["--column", "occurred_at=When", "--column", "amount=How much", "--date-order", "mdy"]
    report = run(file, *arguments, "--decimal", ",", "--positive", "out", "--account", "card", "--source", "amex")
    assert report["recorded"] == 1
    event = CapitalEvent.objects.get()
    assert (event.source, event.event_type, event.amount, event.account.name) == ("amex", "expense", 1234, "card")
    assert event.occurred_at.date().isoformat() == "2026-03-04"


def test_it_reads_a_pipe_and_exits_with_its_verdict(committed_db: str) -> None:
    import os

    open_company()
    command = [sys.executable, "manage.py", "import_events", "-", "--company", "acme", "--json"]
    environment = {**os.environ, "DATABASE_URL": committed_db}

    def pipe(content: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [*command, *arguments], input=content, capture_output=True, cwd=REPOSITORY, env=environment, timeout=60
        )

    good = pipe((SAMPLES / "ndjson.ndjson").read_bytes())
    assert (good.returncode, json.loads(good.stdout)["recorded"]) == (0, 5), good.stderr
    refused = pipe(b"%PDF-1.7")
    assert (refused.returncode, refused.stdout) == (1, b"")
    assert refused.stderr.decode().strip() == "CommandError: nothing was imported: this is a PDF document"
    assert pipe(b"", "--format", "xlsx").returncode == 2


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["hledger", "prettier"])
def test_a_real_public_ledger_is_imported_whole(name: str, company: CompanyRef, shared_data: Path) -> None:
    file = shared_data / "opencollective" / f"{name}.csv"
    first, again = run(file), run(file)
    assert first["recorded"] == first["read"] == again["duplicates"]
    assert (first["rejected"], first["needs_review"]) == ([], 0)


@pytest.mark.django_db
def test_a_generated_company_is_imported_whole(company: CompanyRef, shared_data: Path) -> None:
    file = min((shared_data / "companies").glob("*/events.ndjson.gz"))
    first, again = run(file), run(file)
    assert first["recorded"] == first["read"] == again["duplicates"]
    assert (first["rejected"], first["conflicts"]) == ([], 0)
