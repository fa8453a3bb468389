"""One JSON object per line."""

import pytest

from ledger.importers.row import BadRow, FileRefused, Row


def problem(row: Row | BadRow) -> tuple[int, str, str]:
    assert isinstance(row, BadRow)
    (found,) = row.problems
    return found.line, found.field, found.message


def test_blank_lines_are_no_records_and_keep_the_numbers_of_the_others(read):
    rows = read("ndjson", '\n{"a": 1}\n\n   \n{"b": 2}\n')
    assert [(row.line, row.event) for row in rows] == [(2, {"a": 1}), (5, {"b": 2})]


@pytest.mark.parametrize(
    ("line", "field", "message"),
    [
        ('{"a": 1', "line", "is not JSON"),
        ("nonsense", "line", "is not JSON"),
        ("[1, 2]", "line", "must be a JSON object"),
        ('"text"', "line", "must be a JSON object"),
        ('{"amount": 1, "amount": 2}', "amount", "is stated twice"),
        ('{"amount": NaN}', "line", "is not JSON"),
        ("[" * 100_000, "line", "is not JSON: is nested too deeply"),
        ('{"amount": ' + "9" * 5_000 + "}", "line", "is not JSON"),
    ],
)
def test_a_bad_line_is_reported_and_the_others_are_read(line, field, message, read):
    rows = read("ndjson", '{"a": 1}\n' + line + '\n{"b": 2}\n')
    found = problem(rows[1])
    assert found[:2] == (2, field)
    assert message in found[2]
    assert [row.line for row in rows if isinstance(row, Row)] == [1, 3]


def test_a_line_that_is_not_utf_8_is_reported_by_itself(read):
    rows = read("ndjson", b'{"a": "\xe9"}\n{"b": 2}\n')
    assert problem(rows[0]) == (1, "line", "is not UTF-8: byte 0xE9 at character 8")
    assert isinstance(rows[1], Row)


def test_a_json_array_is_refused_whole_with_what_to_do(read):
    with pytest.raises(FileRefused, match="one object per line and no brackets"):
        read("ndjson", '[{"a": 1},\n{"b": 2}]')


def test_numbers_keep_their_digits(read):
    (row,) = read("ndjson", '{"amount": 0.10}')
    assert str(row.event["amount"]) == "0.10"


def test_an_account_of_the_line_wins_over_the_given_one(read):
    rows = read("ndjson", '{"account": "card"}\n{}\n', account="bank")
    assert [row.event["account"] for row in rows] == ["card", "bank"]
