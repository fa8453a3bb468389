"""Bombs and broken encodings: each is refused with its place, or read rightly, in bounded time and memory."""

import bz2
import gzip
import io
import lzma
import resource
import time
import zipfile
from pathlib import Path

import pytest

from ledger.domain.company import CompanyRef
from ledger.importers import source
from ledger.importers.row import FileRefused
from ledger.models.event import CapitalEvent
from ledger.services.import_events import import_events
from ledger.services.import_report import ImportReport
from tests.ledger.conftest import NOW

pytestmark = pytest.mark.django_db
SAMPLES = Path(__file__).parents[1] / "importers" / "samples"
CSV = b"Date,Amount,Description\n2026-01-05,-9.00,Coffee\n"
CAMT = (SAMPLES / "camt053.xml").read_bytes()
OFX = (SAMPLES / "ofx.ofx").read_bytes()
MEGABYTE = 1_048_576


def take(company: CompanyRef, content: bytes) -> ImportReport:
    return import_events(company=company, stream=io.BytesIO(content), actor="tester", now=NOW)


def zipped(content: bytes) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.csv", content)
    return archive.getvalue()


BILLION_LAUGHS = (
    b'<?xml version="1.0"?>\n<!DOCTYPE lolz [\n <!ENTITY lol "lol">\n'
    b' <!ENTITY l1 "&lol;&lol;&lol;&lol;&lol;">\n <!ENTITY l2 "&l1;&l1;&l1;&l1;&l1;">\n]>\n'
)
EXTERNAL = b'<?xml version="1.0"?>\n<!DOCTYPE d [ <!ENTITY x SYSTEM "file:///etc/passwd"> ]>\n'


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (gzip.compress(bytes(100 * MEGABYTE), 9), "grows too much: [0-9]+ bytes of it unpack to [0-9]+ already"),
        (gzip.compress(gzip.compress(CSV)), "compressed twice"),
        (gzip.compress(zipped(CSV)), "this is a ZIP archive"),
        (gzip.compress(CSV)[:-9], "ends too early, after [0-9]+ bytes"),
        (gzip.compress(CSV)[:20] + b"\0" * 30, "is damaged after [0-9]+ bytes|ends too early"),
        (zipped(CSV), "this is a ZIP archive"),
        (zipped(zipped(bytes(10 * MEGABYTE))), "this is a ZIP archive"),
        (lzma.compress(bytes(MEGABYTE)), "compressed by xz"),
        (bz2.compress(bytes(MEGABYTE)), "compressed by bzip2"),
        (BILLION_LAUGHS + CAMT.partition(b"?>")[2], "line 2: it declares a document type or an entity"),
        (EXTERNAL + CAMT.partition(b"?>")[2], "line 2: it declares a document type or an entity"),
        (OFX.replace(b"<OFX>", b"<!DOCTYPE OFX [<!ENTITY x 'y'>]>\n<OFX>"), "line [0-9]+: it declares a document"),
        (b"Date,Amount\n2026-01-05,-9.00\n".decode().encode("utf-16-le"), "UTF-16 needs a byte order mark"),
        (b"Date,Amount\n2026-01-05,-9.00\n".decode().encode("utf-16-be"), "UTF-16 needs a byte order mark"),
        (
            b"\xff\xfeD\0a\0t\0e\0,\0A\0m\0o\0u\0n\0t\0\n\0\x00\xd8\x00\xd8",
            "not UTF-16 as its byte order mark says",
        ),
        (CSV + b"\0" + CSV, "this is not text: byte 1 of line [0-9]+ is NUL"),
        (OFX.replace(b"<NAME>", b"<NAME>\0", 1), "byte [0-9]+ of line [0-9]+ is NUL|a NUL is no text"),
    ],
    # Compressed bytes hold the time: no name for a test.
    ids=lambda value: value if isinstance(value, str) else "file",
)
def test_it_is_refused_with_its_reason(content: bytes, reason: str, company: CompanyRef) -> None:
    began = time.monotonic()
    with pytest.raises(FileRefused, match=reason) as refusal:
        take(company, content)
    assert "\n" not in str(refusal.value)
    assert time.monotonic() - began < 20
    assert not CapitalEvent.objects.exists()


def test_a_bomb_costs_no_memory(company: CompanyRef, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = gzip.compress(bytes(300 * MEGABYTE), 9)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    monkeypatch.setattr(source, "MAX_EXPANSION", 10_000)
    with pytest.raises(FileRefused, match="this is not text: byte 1 of line 1 is NUL"):
        take(company, bomb)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024


def test_latin_1_with_control_characters_is_reported_line_by_line(company: CompanyRef) -> None:
    # 0x81 is no character of Windows-1252, so the file is not that, and its damaged line is named.
    content = CSV + "2026-01-06,-8.00,Café\n".encode("latin-1") + b"2026-01-07,-7.00,\x81\x9d\n"
    report = take(company, content)
    assert (report.recorded, [problem.line for problem in report.rejected]) == (1, [3, 4])
    assert "is not UTF-8: byte 0x81 at character" in report.rejected[1].message


def test_windows_1252_is_read_as_its_makers_meant_it(company: CompanyRef) -> None:
    take(company, CSV + "2026-01-06,-8.00,Café – 5 €\n".encode("cp1252"))
    assert CapitalEvent.objects.filter(metadata__description="Café – 5 €").exists()


def test_line_ends_of_all_kinds_in_one_file_count_as_lines(company: CompanyRef) -> None:
    content = b"Date,Amount\r\n2026-01-05,-9.00\r2026-01-06,-8.00\n2026-01-07,oops\r\n2026-01-08,-6.00"
    report = take(company, content)
    assert (report.recorded, report.rejected[0].line) == (3, 4)


def test_a_mark_in_the_middle_of_a_file_that_was_joined_is_no_text_of_its_line(company: CompanyRef) -> None:
    content = CSV + "\ufeff2026-01-06,-8.00,Tea\n".encode() + b"2026-01-07,-7.00,Milk\n"
    report = take(company, content)
    assert (report.recorded, report.rejected_lines) == (3, 0)
    bill = (SAMPLES / "focus.csv").read_text(encoding="utf-8")
    joined = take(company, ("\ufeff" + bill + "\ufeff" + bill).encode())
    assert (joined.read, joined.rejected_lines) == (14, 0)


def test_a_line_of_ten_megabytes_costs_itself_only(company: CompanyRef) -> None:
    content = CSV + b"2026-01-06,-8.00," + b"x" * (10 * MEGABYTE) + b"\n2026-01-07,-7.00,Milk\n"
    report = take(company, content)
    assert (report.recorded, report.rejected_lines) == (2, 1)
    assert (report.rejected[0].line, report.rejected[0].message) == (3, "is longer than 262144 characters")


def test_a_file_of_one_endless_line_is_refused(company: CompanyRef) -> None:
    with pytest.raises(FileRefused):
        take(company, b"x" * (10 * MEGABYTE))
    with pytest.raises(FileRefused, match="line 1"):
        take(company, b'{"source": "' + b"x" * (10 * MEGABYTE) + b'"}')


def test_quotes_that_never_close_cost_their_own_lines_in_linear_time(company: CompanyRef) -> None:
    content = CSV + b'2026-01-06,-8.00,"open\n' * 3_000
    began = time.monotonic()
    report = take(company, content)
    assert report.recorded + report.rejected_lines == 3_001
    assert time.monotonic() - began < 30


def test_a_tag_and_a_value_without_end_are_refused_in_bounded_memory(company: CompanyRef) -> None:
    with pytest.raises(FileRefused, match=r"line [0-9]+: a value is longer than 65536 characters"):
        take(company, OFX.replace(b"<NAME>", b"<NAME>" + b"x" * (10 * MEGABYTE), 1))
    with pytest.raises(FileRefused, match=r"line [0-9]+: a tag is longer than 65536 characters"):
        take(company, OFX.replace(b"<NAME>", b"<" + b"N" * (10 * MEGABYTE), 1))
    with pytest.raises(FileRefused, match=r"line [0-9]+: Ustrd is longer than 65536 characters"):
        take(company, CAMT.replace(b"<Ustrd>", b"<Ustrd>" + b"x" * (10 * MEGABYTE), 1))
    with pytest.raises(FileRefused, match=r"line [0-9]+: nested more than 64 levels deep"):
        take(company, CAMT.replace(b"<NtryDtls>", b"<NtryDtls>" + b"<a>" * 10_000, 1))
