"""MT940 in many dialects."""

import warnings
from datetime import date
from decimal import Decimal
from pathlib import Path

import mt940
import pytest

from ledger.importers.mt940_details import read_details
from ledger.importers.row import BadRow, FileRefused, LeftOut, Row, StatedRow

SAMPLE = (Path(__file__).parent / "samples" / "mt940.sta").read_text()


def statement(entries: str, *, closing: str = ":62F:C260131EUR95,00\n-\n") -> str:
    return f":20:X\n:25:DE001234\n:28C:1/1\n:60F:C260104EUR100,00\n{entries}\n{closing}"


def events(found: list[object]) -> list[dict[str, object]]:
    return [dict(row.event) for row in found if isinstance(row, Row)]


def test_two_pages_of_one_statement_are_one_and_add_up(read):
    found = read("mt940", SAMPLE, timezone="Europe/Berlin")
    assert [(e["event_type"], e.get("direction"), e["amount"]) for e in events(found)] == [
        ("income", None, "10000.00"),
        ("expense", None, "1250.50"),
        ("expense", None, "4.20"),
        ("expense", None, "4.20"),
        ("adjustment", "in", "99.00"),
        ("adjustment", "out", "10.00"),
    ]
    stated = [row for row in found if isinstance(row, StatedRow)]
    assert [(row.balance.amount, row.balance.day, row.review) for row in stated] == [
        (Decimal("1000.00"), date(2025, 12, 31), ()),
        (Decimal("9830.10"), date(2026, 1, 9), ()),
    ]
    assert {event["account"] for event in events(found)} == {"bank-100200301234567"}


def test_what_the_bank_says_is_taken_apart(read):
    first, rent, *_, returned, _ = events(read("mt940", SAMPLE))
    assert (first["counterparty"], first["metadata"]["description"], first["metadata"]["end_to_end_id"]) == (
        "Grosskunde GmbH und Co",
        "Rechnung 7; Teil 2",
        "RE-7",
    )
    assert (rent["category"], rent["counterparty"]) == ("dauerauftrag", "Vermieter")
    assert (returned["counterparty"], returned["metadata"]["description"]) == ("Telekom AG", "Lastschrift zurueck")


@pytest.mark.parametrize(
    ("line", "day"),
    [
        (":61:2512310102D5,00NMSC", "2026-01-02"),
        (":61:2601021231D5,00NMSC", "2025-12-31"),
        (":61:260105D5,NMSC", "2026-01-05"),
        (":61:2602300301D5,00NMSC", "2026-03-01"),
    ],
)
def test_an_entry_is_booked_on_its_entry_date_in_the_year_next_to_the_value_date(line, day, read):
    (event,) = events(read("mt940", statement(line)))
    assert event["occurred_at"] == f"{day}T12:00:00+00:00"


def test_expected_entries_and_zeros_are_left_out(read):
    found = read("mt940", statement(":61:260105ED5,00NMSC\n:61:260105D0,00NMSC"))
    assert [row.problem.message for row in found if isinstance(row, LeftOut)] == [
        "is expected: the bank has not booked it",
        "is zero: no money moves",
    ]


def test_an_entry_that_cannot_be_read_is_named_and_the_sum_says_nothing(read):
    found = read("mt940", statement(":61:26010X\n:61:260230D5,00NMSC"))
    assert [(row.line, row.problems[0].field) for row in found if isinstance(row, BadRow)] == [
        (5, ":61:"),
        (6, ":61:"),
    ]
    assert not any(row.review for row in found if isinstance(row, StatedRow))


def test_a_file_that_is_cut_off_shows_it_at_its_last_entry(read):
    (row,) = [row for row in read("mt940", statement(":61:260105D5,00NMSC", closing="")) if isinstance(row, Row)]
    assert "is the file cut off?" in row.review[0].message


def test_an_envelope_of_swift_is_taken_off(read):
    content = "{1:F01BANKDEFFAXXX0000000000}{2:I940BANKDEFFXXXXN}{4:\n" + statement(":61:260105D5,00NMSC")
    assert len(events(read("mt940", content.replace("\n-\n", "\n-}\n")))) == 1


def test_one_name_for_several_accounts_is_refused_before_anything_comes_out(read):
    other = statement(":61:260105D5,00NMSC").replace("DE001234", "DE009999")
    with pytest.raises(FileRefused, match="about several accounts"):
        read("mt940", statement(":61:260105D5,00NMSC") + other, account="bank")


def test_a_time_in_the_text_is_no_field(read, shared_data):
    path = shared_data / "mt940" / "self-provided" / "wrapped_timestamp.sta"
    (event,) = events(read("mt940", path.read_bytes()))
    assert event["metadata"]["end_to_end_id"].startswith("VZ0000")


def test_text_of_no_known_dialect_is_the_description():
    assert read_details(["BEA NR:XXX1234", " KATWIJK"]).description == "BEA NR:XXX1234 KATWIJK"
    assert read_details([]).description == ""


@pytest.mark.parametrize(
    "name",
    [
        # Not sepa_mt9401: the library takes RC for money that comes in; the bank's own balance says otherwise.
        "betterplace/sepa_snippet_broken.sta",
        "jejik/generic.sta",
        "jejik/rabobank-iban.sta",
        "mBank/mt940.sta",
        "jejik/ing.sta",
    ],
)
def test_it_agrees_with_the_library_where_that_can_read(name, read, shared_data):
    content = (shared_data / "mt940" / name).read_text()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = [each.data["amount"].amount for each in mt940.parse(content)]
    ours = [
        Decimal(str(e["amount"]))
        * (1 if e.get("direction", "in" if e["event_type"] == "income" else "out") == "in" else -1)
        for e in events(read("mt940", content))
    ]
    assert ours == theirs
