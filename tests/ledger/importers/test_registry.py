"""Every importer is checked the day it lands: it has a sample, recognises it, and reads it to valid events."""

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.domain.cloud_bill import BillLine
from ledger.domain.event import parse_event
from ledger.importers.registry import detect, importer_named, importers
from ledger.importers.row import FileRefused, Row, StatedRow

SAMPLES = Path(__file__).parent / "samples"
NOW = datetime(2026, 2, 1, tzinfo=UTC)
BILLS = [name for name, importer in importers().items() if importer.bills]
EVENTS = [name for name in importers() if name not in BILLS]


def sample_of(name: str) -> bytes:
    found = [path for path in SAMPLES.iterdir() if path.stem == name]
    assert len(found) == 1, f"the importer {name} needs one sample named {name}.<suffix>"
    return found[0].read_bytes()


def test_there_is_no_sample_without_an_importer():
    assert {path.stem for path in SAMPLES.iterdir()} == set(importers())


@pytest.mark.parametrize("name", importers())
def test_its_sample_is_detected_by_content_alone(name):
    assert detect(io.BytesIO(sample_of(name))).name == name


@pytest.mark.parametrize("name", importers())
def test_detection_leaves_the_stream_at_its_beginning(name):
    stream = io.BytesIO(sample_of(name))
    detect(stream)
    assert stream.tell() == 0


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", importers())
def test_its_sample_is_the_same_in_other_encodings(name, encoding, read):
    content = sample_of(name).decode()
    assert detect(io.BytesIO(content.encode(encoding))).name == name
    assert read(name, content.encode(encoding)) == read(name, content)


@pytest.mark.parametrize("name", importers())
def test_windows_line_ends_change_nothing(name, read):
    content = sample_of(name)
    assert read(name, content.replace(b"\n", b"\r\n")) == read(name, content)


@pytest.mark.parametrize("name", EVENTS)
def test_its_sample_reads_to_events_that_are_valid_and_numbered_by_line(name, read):
    rows = [found for found in read(name, sample_of(name)) if not isinstance(found, StatedRow)]
    assert len(rows) >= 4
    assert all(isinstance(row, Row) and not row.review for row in rows)
    # One line may be two events: a payment and the fee that was kept of it.
    assert [row.line for row in rows] == sorted(row.line for row in rows)
    assert all(parse_event(row.event, now=NOW) for row in rows)


@pytest.mark.parametrize("name", BILLS)
def test_the_sample_of_a_bill_reads_to_lines_of_bills_numbered_by_line(name, read):
    rows = read(name, sample_of(name))
    assert len(rows) >= 4
    assert all(isinstance(row, BillLine) for row in rows)
    assert [row.line for row in rows] == list(range(2, len(rows) + 2))


@pytest.mark.parametrize("name", EVENTS)
def test_an_account_can_be_given_for_lines_without_one(name, read):
    rows = [found for found in read(name, sample_of(name), account="bank-two") if isinstance(found, Row)]
    accounts = {row.event["account"] for row in rows}
    assert "bank-two" in accounts


def test_an_unknown_format_is_refused_by_naming_the_known_ones():
    with pytest.raises(FileRefused, match=r"unknown format 'xlsx': choose auto or one of .*capstack, .*ndjson"):
        importer_named("xlsx")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"PK\x03\x04sheet", "Excel workbook"),
        (b"%PDF-1.7", "PDF"),
        (b"<?xml version='1.0'?><Document/>", "XML"),
        (b"<!DOCTYPE html><title>Sign in</title>", "HTML page"),
        (b"\n\n <html><body>Sign in</body></html>", "HTML page"),
        (b"date,amount\x00\n", "byte 12 of line 1 is NUL"),
        (b"date,amount\r\n2026-01-05,9\r\n\x00", "byte 1 of line 3 is NUL"),
        (b"date,amount\r2026-\x0001-05,9\r", "byte 6 of line 2 is NUL"),
        ("date,amount\n".encode("utf-16-le"), "UTF-16 needs a byte order mark"),
        ("date,amount\n".encode("utf-32"), "UTF-32"),
        (b"  \n\n", "empty"),
        ("\ufeff".encode(), "empty"),
        (b"Dear all,\nplease find attached\n", "not a format known here"),
        (b"a,b,c\n1,2,3\n", "not a format known here"),
        (b"\x8f\xfe\xba\xbe" * 40, "not a format known here"),
    ],
)
def test_a_file_that_holds_no_events_is_refused_with_what_it_is(content, reason):
    with pytest.raises(FileRefused, match=reason):
        detect(io.BytesIO(content))
