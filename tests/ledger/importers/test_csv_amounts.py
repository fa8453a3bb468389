"""Amounts as printed."""

from decimal import Decimal

import pytest

from ledger.importers.csv_amounts import (
    AmbiguousMark,
    InvalidNumber,
    detect_decimal_mark,
    minor_digits,
    read_number,
)


@pytest.mark.parametrize(
    ("text", "decimal_mark", "number"),
    [
        ("1250", ".", "1250"),
        ("1,250.50", ".", "1250.50"),
        ("-1,250.50", ".", "-1250.50"),
        ("\u22121250.50", ".", "-1250.50"),
        ("1250.50-", ".", "-1250.50"),
        ("(12.00)", ".", "-12.00"),
        ("$1,250.00", ".", "1250.00"),
        ("-$5", ".", "-5"),
        ("$-5", ".", "-5"),
        ("($5.00)", ".", "-5.00"),
        ("EUR 12.50", ".", "12.50"),
        ("12,50 \u20ac", ",", "12.50"),
        ("1.250,00", ",", "1250.00"),
        ("1 250,00", ",", "1250.00"),
        ("1\u00a0250,00 EUR", ",", "1250.00"),
        ("1'250.00", ".", "1250.00"),
        ("7.00 CR", ".", "7.00"),
        ("7.00 DR", ".", "-7.00"),
        ("+3", ".", "3"),
        (".5", ".", "0.5"),
    ],
)
def test_it_reads_what_banks_print(text, decimal_mark, number):
    assert read_number(text, decimal_mark=decimal_mark) == Decimal(number)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        ".",
        "abc",
        "1.2.3",
        "12,34.5",
        "1,2",
        "1e5",
        "NaN",
        "Infinity",
        "0x10",
        "\u0661\u0662",
        "--5",
        "9" * 65,
    ],
)
def test_it_refuses_what_is_no_number(text):
    with pytest.raises(InvalidNumber, match=r"is not a number such as 1,250\.00"):
        read_number(text, decimal_mark=".")


@pytest.mark.parametrize(
    ("texts", "mark"),
    [
        (["1,234.50"], "."),
        (["1.234,50"], ","),
        (["12,5", "1.234"], ","),
        (["12.50", "1,234"], "."),
        (["1,234,567"], "."),
        (["0,125"], ","),
        (["1234", "5"], "."),
        (["-4,20 €"], ","),
        ([], "."),
    ],
)
def test_it_detects_the_decimal_mark(texts, mark):
    assert detect_decimal_mark(texts) == mark


def test_it_does_not_guess_between_a_thousand_and_a_bit_over_one():
    with pytest.raises(AmbiguousMark, match="'1,234' may mean thousands or decimals"):
        detect_decimal_mark(["1,234", "5,678"])
    with pytest.raises(AmbiguousMark, match="with a decimal point and with a decimal comma"):
        detect_decimal_mark(["1.50", "1,50"])


def test_the_minor_unit_depends_on_the_currency():
    assert [minor_digits(code) for code in ("USD", "JPY", "KWD")] == [2, 0, 3]
