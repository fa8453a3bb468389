"""The command `import_events`, as a person runs it."""

import errno
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, ProgrammingError

from ledger.domain.company import CompanyRef
from ledger.management.commands import import_events as command
from ledger.models.event import CapitalEvent
from tests.ledger.conftest import open_company

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
        ("a\0b", {}, "is not the name of a file"),
        # Linux opens it for whoever asks, and cannot read its first byte.
        ("/proc/self/mem", {}, "/proc/self/mem: Input/output error; .* nothing was recorded"),
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


class DamagedDisk(io.FileIO):
    """A file of which a sector cannot be read any more once it has been read twice."""

    def __init__(self, path: Path, *, good_bytes: int) -> None:
        super().__init__(path, "rb")
        self._good_bytes = good_bytes
        self._ends = 0

    def read(self, size: int | None = -1, /) -> bytes:
        # Digested and looked at for its encoding; the third reading is the one that records.
        if self._ends >= 2 and self.tell() >= self._good_bytes:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        chunk = super().read(size)
        self._ends += not chunk
        return chunk


@pytest.mark.django_db
def test_a_file_that_cannot_be_read_to_its_end_loses_nothing_and_goes_on_later(
    company: CompanyRef, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = json.loads((SAMPLES / "ndjson.ndjson").read_text().splitlines()[0])
    lines = [json.dumps(event | {"external_ref": f"r-{number}"}) for number in range(12_000)]
    file = tmp_path / "events.ndjson"
    file.write_text("\n".join(lines))
    with monkeypatch.context() as damaged:
        damaged.setattr(command, "_open", lambda path: DamagedDisk(Path(path), good_bytes=2_097_152))
        with pytest.raises(CommandError) as refused:
            run(file)
    assert str(refused.value) == (
        f"{file}: Input/output error; the file could not be read to its end: 5,000 events are recorded,"
        " up to line 5,000 of the file; the same command again goes on from there"
    )
    assert refused.value.returncode == 1
    assert CapitalEvent.objects.count() == 5_000
    report = run(file)
    assert (report["recorded"], report["duplicates"]) == (12_000, 0)
    assert CapitalEvent.objects.count() == 12_000


@pytest.mark.django_db
@pytest.mark.parametrize("interrupted", [True, False], ids=["by Ctrl-C", "by the database"])
def test_ctrl_c_within_a_query_is_an_interrupt_though_taking_back_fails_in_its_own_way(
    company: CompanyRef, monkeypatch: pytest.MonkeyPatch, *, interrupted: bool
) -> None:
    def broken(**_: object) -> None:
        try:
            raise KeyboardInterrupt if interrupted else OperationalError("the server went away")
        except BaseException:
            raise ProgrammingError("can't change 'autocommit' now: connection in transaction status ACTIVE")  # noqa: B904

    monkeypatch.setattr(command, "import_events", broken)
    with pytest.raises(CommandError) as refused:
        run(SAMPLES / "ndjson.ndjson")
    assert refused.value.returncode == (130 if interrupted else 1)
    assert str(refused.value).startswith("interrupted: " if interrupted else "broke off, ")
