"""Open Collective's transactions."""

import csv
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from ledger.domain.event import parse_event
from ledger.importers.row import BadRow, FileRefused, Row

SAMPLE = (Path(__file__).parent / "samples" / "opencollective.csv").read_text()
HEADER, *RECORDS = SAMPLE.splitlines()
NOW = datetime(2026, 12, 1, tzinfo=UTC)


def signed(row: Row) -> Decimal:
    draft = parse_event(row.event, now=NOW)
    return draft.amount if draft.flow == "in" else -draft.amount


def test_amounts_are_minor_units_and_naive_times_are_utc(read):
    first = read("opencollective", SAMPLE, timezone="America/New_York")[0]
    assert first.event["amount"] == "500.00"
    assert first.event["occurred_at"] == "2026-01-05T08:00:00+00:00"
    assert first.event["external_ref"] == "a0000001"


def test_money_that_goes_back_is_an_adjustment_and_neither_income_nor_expense(read):
    rows = read("opencollective", SAMPLE)
    assert [(row.event["event_type"], row.event.get("direction")) for row in rows] == [
        ("income", None),
        ("expense", None),
        ("expense", None),
        ("adjustment", "out"),
        ("adjustment", "in"),
    ]


def test_a_running_balance_that_does_not_follow_is_put_to_review_and_the_line_is_kept(read):
    gap = "\n".join([HEADER, *RECORDS[:1], *RECORDS[2:]])
    rows = read("opencollective", gap)
    assert [bool(row.review) for row in rows] == [False, True, False, False]
    (problem,) = rows[1].review
    assert (problem.line, problem.field) == (3, "running_balance_minor")
    assert problem.message == "the running balance is 326.55 where the lines add up to 376.55: is a line missing?"


def test_a_line_that_cannot_be_read_is_not_blamed_on_its_neighbours_balance(read):
    broken = RECORDS[1].replace("-5000", "minus")
    rows = read("opencollective", "\n".join([HEADER, RECORDS[0], broken, *RECORDS[2:]]))
    assert isinstance(rows[1], BadRow)
    assert rows[1].problems[0].field == "amount_minor"
    assert not any(row.review for row in rows if isinstance(row, Row))


def test_a_missing_column_refuses_the_file(read):
    with pytest.raises(FileRefused, match="no header found in the first 30 lines: expected external_id"):
        read("opencollective", SAMPLE.replace("running_balance_minor", "balance"))


@pytest.mark.parametrize("name", ["hledger", "prettier"])
def test_a_real_ledger_reads_without_loss_to_its_last_balance(name, read, shared_data):
    content = (shared_data / "opencollective" / f"{name}.csv").read_text()
    rows = read("opencollective", content)
    records = list(csv.DictReader(content.splitlines()))
    assert len(rows) == len(records)
    assert all(isinstance(row, Row) and not row.review for row in rows)
    assert sum(map(signed, rows)) * 100 == int(records[-1]["running_balance_minor"])
