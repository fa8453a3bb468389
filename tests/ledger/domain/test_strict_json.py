"""JSON without loss."""

from decimal import Decimal

import pytest

from ledger.domain.strict_json import ExponentNumber, InvalidJson, RepeatedKey, parse_json


def test_a_fraction_is_an_exact_decimal() -> None:
    assert parse_json("[0.1, 1.10]") == [Decimal("0.1"), Decimal("1.10")]
    assert str(parse_json("1.10")) == "1.10"


def test_an_exponent_is_kept_as_written() -> None:
    number = parse_json("1e5")
    assert isinstance(number, ExponentNumber)
    assert number.text == "1e5"


def test_an_object_with_one_key_twice_is_marked_and_its_neighbours_are_not() -> None:
    good, bad = parse_json('[{"a": 1}, {"a": 1, "a": 2}]')
    assert good == {"a": 1}
    assert isinstance(bad, RepeatedKey)
    assert bad.key == "a"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"\xff{}", "byte 1 is not UTF-8"),
        ('{"a": NaN}', "NaN is not a JSON number"),
        ("[Infinity]", "Infinity is not a JSON number"),
        ('{"a" 1}', "line 1, column 6"),
        ("", "line 1, column 1"),
        ("[" * 200_000, "nested too deeply"),
        ("1" * 5000, "more than 400 characters"),
        ("0." + "1" * 5000, "more than 400 characters"),
        ('{"a": 1} x', "Extra data"),
    ],
)
def test_it_refuses_what_is_not_json(text: str | bytes, reason: str) -> None:
    with pytest.raises(InvalidJson, match=reason):
        parse_json(text)
