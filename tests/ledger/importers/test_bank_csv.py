"""CSV of banks: detection of columns, delimiter, decimal mark, date order and sign."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ledger.importers.csv_mapping import CsvChoices
from ledger.importers.row import BadRow, FileRefused, Row

SAMPLE = (Path(__file__).parent / "samples" / "csv.csv").read_text()


def flows(rows: list[Row | BadRow]) -> list[tuple[object, ...]]:
    return [
        (row.event["event_type"], row.event["amount"], row.event["currency"])
        for row in rows
        if isinstance(row, Row)
    ]


def test_a_german_export_with_a_preamble_reads_newest_first(read):
    rows = read("csv", SAMPLE, timezone="Europe/Berlin")
    assert flows(rows) == [
        ("expense", "1250.00", "EUR"),
        ("income", "10000.00", "EUR"),
        ("expense", "4.20", "EUR"),
        ("expense", "4.20", "EUR"),
    ]
    assert rows[1].event["metadata"] == {"description": "Rechnung 7; Teil 2"}
    assert rows[0].event["occurred_at"] == "2026-01-31T11:00:00+00:00"
    assert not any(row.review for row in rows)


def test_a_gap_in_an_export_that_is_newest_first_is_put_to_review(read):
    lines = SAMPLE.splitlines()
    rows = read("csv", "\n".join([*lines[:4], *lines[5:]]))
    assert [bool(row.review) for row in rows] == [False, True, False]


def test_debit_and_credit_columns_carry_the_sign(read):
    rows = read(
        "csv",
        "Date,Details,Debit,Credit\n2026-01-05,Rent,900.00,\n2026-01-06,Sale,,50.00\n2026-01-07,Odd,1.00,2.00\n",
    )
    assert flows(rows) == [("expense", "900.00", "USD"), ("income", "50.00", "USD")]
    assert rows[2].problems[0].message == "exactly one of debit and credit must state an amount"


def test_a_zero_in_the_other_column_is_no_amount(read):
    rows = read("csv", "Date,Debit,Credit\n2026-01-05,900.00,0.00\n")
    assert flows(rows) == [("expense", "900.00", "USD")]


@pytest.mark.parametrize("column", ["Direction", "Type"])
def test_a_column_of_words_carries_the_sign(column, read):
    rows = read("csv", f"Date,Amount,{column}\n2026-01-05,900.00,DEBIT\n2026-01-06,50.00,Credit\n")
    assert flows(rows) == [("expense", "900.00", "USD"), ("income", "50.00", "USD")]


def test_a_type_that_says_more_than_the_sign_is_the_category(read):
    rows = read("csv", "Date,Amount,Type\n2026-01-05,-900.00,Card Payment\n")
    assert rows[0].event["category"] == "card payment"


def test_amounts_in_cents_are_told_by_the_name_of_their_column(read):
    rows = read("csv", "date,amount_cents,currency\n2026-01-05,-90000,USD\n2026-01-05,-900,JPY\n")
    assert flows(rows) == [("expense", "900.00", "USD"), ("expense", "900", "JPY")]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("Date,Amount\n2026-01-05,900.00\n", r"without a sign is \(--positive in or out\)"),
        ("Date,Amount\n03/04/2026,-900.00\n", r"choose the date order \(--date-order dmy or mdy\)"),
        ('Date,Amount\n2026-01-05,"-1,234"\n', r"choose the decimal mark \(--decimal \. or ,\)"),
        ("Date,Amount\n", "there is no record that fits the header on line 1"),
        ("When,How much\n2026-01-05,1\n", "no header found"),
        ("Date,Amount,Date\n2026-01-05,1,2\n", "column 'Date' 2 times"),
    ],
)
def test_what_the_file_does_not_tell_is_asked_for(content, reason, read):
    with pytest.raises(FileRefused, match=reason):
        read("csv", content)


def test_choices_settle_what_the_file_does_not_tell(read):
    choices = CsvChoices(
        columns={"occurred_at": "When", "amount": "How much"},
        date_order="mdy",
        decimal_mark=",",
        positive_is="out",
        timezone=ZoneInfo("America/New_York"),
        source="amex",
    )
    (row,) = read("csv", 'When;How much\n03/04/2026;"1.234"\n', choices=choices, account="card")
    assert row.event == {
        "source": "amex",
        "event_type": "expense",
        "amount": "1234",
        "currency": "USD",
        "occurred_at": "2026-03-04T17:00:00+00:00",
        "account": "card",
    }


def test_a_chosen_column_that_is_missing_refuses_the_file(read):
    with pytest.raises(FileRefused, match="no header found"):
        read("csv", "Date,Amount\n2026-01-05,-1\n", choices=CsvChoices(columns={"counterparty": "Payee"}))


def test_everything_wrong_with_a_line_is_named_by_the_files_own_columns(read):
    rows = read("csv", "Date,Amount,Balance\n2026-01-05,-1.00,5.00\nyesterday,much,none\n")
    assert [(problem.line, problem.field) for problem in rows[1].problems] == [
        (3, "Amount"),
        (3, "Balance"),
        (3, "Date"),
    ]


def test_a_column_that_is_named_like_an_id_and_repeats_is_none(read):
    once = read("csv", "Date,Amount,ID\n2026-01-05,-1.00,7\n2026-01-05,-1.00,8\n")
    assert [row.event["external_ref"] for row in once] == ["7", "8"]
    twice = read("csv", "Date,Amount,ID\n2026-01-05,-1.00,7\n2026-01-05,-1.00,7\n")
    assert all("external_ref" not in row.event for row in twice)


def test_text_from_windows_keeps_its_characters(read):
    rows = read("csv", SAMPLE.encode("cp1252"))
    assert rows[2].event["counterparty"] == "Café"


def test_a_dirty_treasury_log_asks_for_the_sign_and_then_reads(read, shared_data):
    content = (shared_data / "grin-pm" / "spending_log.csv").read_bytes()
    with pytest.raises(FileRefused, match="--positive in or out"):
        read("csv", content)
    rows = read("csv", content, choices=CsvChoices(positive_is="out"))
    assert len(rows) > 80
    assert all(row.event["event_type"] == "expense" for row in rows if isinstance(row, Row))
