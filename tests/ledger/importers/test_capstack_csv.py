"""capstack's own CSV."""

import pytest

from ledger.importers.row import BadRow, FileRefused, Row

HEADER = "source,event_type,amount,currency,occurred_at,metadata\n"


def test_values_are_passed_on_as_written_and_empty_cells_are_absent(read):
    (row,) = read("capstack", HEADER + "bank,income,1250.00,USD,,\n")
    assert row.event == {"source": "bank", "event_type": "income", "amount": "1250.00", "currency": "USD"}


def test_metadata_is_an_object_when_it_looks_like_one_and_text_otherwise(read):
    rows = read(
        "capstack", HEADER + 'b,income,1,USD,,"{""seats"": 3}"\nb,income,1,USD,,by hand\nb,income,1,USD,,{oops\n'
    )
    assert [row.event["metadata"] for row in rows if isinstance(row, Row)] == [{"seats": 3}, "by hand"]
    assert isinstance(rows[2], BadRow)
    assert rows[2].problems[0].field == "metadata"


def test_delimiter_case_and_order_of_the_columns_do_not_matter(read):
    (row,) = read("capstack", "Currency;Amount;Event Type;Source\nUSD;1.00;income;bank\n")
    assert row.event == {"source": "bank", "event_type": "income", "amount": "1.00", "currency": "USD"}


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("source,event_type,amount,currency,colour", "unknown column 'colour'"),
        ("source,event_type,amount,currency,amount", "column 'amount' 2 times"),
        ("source,amount,currency", "no header found"),
    ],
)
def test_a_broken_header_refuses_the_file(header, reason, read):
    with pytest.raises(FileRefused, match=reason):
        read("capstack", header + "\n1,2,3,4,5\n")


def test_a_line_of_another_width_is_reported(read):
    short, long, surplus = read("capstack", HEADER + "a,b\n1,2,3,4,5,6,7\nbank,income,1,USD,,,,\n")
    assert short.problems[0].message == "has 2 cells where the header has 6"
    assert long.problems[0].message == "has 7 cells where the header has 6"
    assert isinstance(surplus, Row)
