"""Records of delimited text, broken quotes included."""

import io

from ledger.importers.csv_records import MAX_RECORD_LINES, Record, records
from ledger.importers.text import lines


def split(text: str, *, delimiter: str = ",") -> list[Record]:
    stream = io.BytesIO(text.encode())
    return list(
        records(lines(stream, encoding="utf-8", universal_newlines=True), delimiter=delimiter),
    )


def test_quotes_hold_delimiters_line_breaks_and_quotes():
    assert split('a,"b, ""c""\nd",e\nf,g,h\n') == [
        Record(1, ("a", 'b, "c"\nd', "e")),
        Record(3, ("f", "g", "h")),
    ]


def test_a_quote_inside_an_unquoted_cell_is_a_character():
    assert split('5" pipe,1\nnext,2\n') == [Record(1, ('5" pipe', "1")), Record(2, ("next", "2"))]


def test_rows_of_nothing_are_no_records():
    assert split("a,b\n\n , \n,,,\nc,d\n") == [Record(1, ("a", "b")), Record(5, ("c", "d"))]


def test_a_quote_that_is_never_closed_costs_its_own_line_only():
    found = split('a,b\nc,"d\ne,f\ng,h\n')
    assert [(record.line, record.cells) for record in found] == [
        (1, ("a", "b")),
        (2, ()),
        (3, ("e", "f")),
        (4, ("g", "h")),
    ]
    assert found[1].problem == "a quote is opened in this line and not closed"


def test_a_stray_quote_far_above_another_does_not_swallow_what_lies_between():
    rows = [f"{number},x" for number in range(MAX_RECORD_LINES + 10)]
    found = split("\n".join(['a,"b', *rows, 'c,"d', "e,f"]))
    assert [record.line for record in found if record.problem] == [1, MAX_RECORD_LINES + 12]
    assert len(found) == MAX_RECORD_LINES + 13


def test_text_behind_a_closing_quote_is_reported():
    (record,) = split('"a"b,c\n')
    assert "expected after" in record.problem


def test_a_line_that_is_not_text_ends_the_record_it_stands_in():
    stream = io.BytesIO(b'a,"b\n\xff\nc,d\n')
    found = list(records(lines(stream, encoding="utf-8", universal_newlines=True), delimiter=","))
    assert [(record.line, bool(record.problem)) for record in found] == [(1, True), (2, True), (3, False)]
