"""Amounts: exact, positive, bounded, and what is said when they are not."""

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.money import LIMIT, InvalidAmount, canonical, convert, parse_amount
from ledger.domain.strict_json import parse_json

amounts = st.decimals(
    min_value=Decimal("0.000001"), max_value=LIMIT - Decimal("0.000001"), places=6, allow_nan=False
)


@given(amount=amounts)
def test_an_amount_survives_text_and_json_unchanged(amount: Decimal) -> None:
    text = f"{amount:f}"
    assert parse_amount(text) == amount
    assert parse_amount(parse_json(text)) == amount


@given(amount=amounts)
def test_its_canonical_spelling_has_six_decimals_and_is_the_same_number(amount: Decimal) -> None:
    text = canonical(amount.normalize())
    assert text.partition(".")[2].isdigit()
    assert len(text.partition(".")[2]) == 6
    assert Decimal(text) == amount


@given(amount=amounts)
def test_arithmetic_does_not_depend_on_a_thread_s_decimal_context(amount: Decimal) -> None:
    with localcontext() as context:
        context.prec = 3
        careless = canonical(amount), convert(amount, rate=Decimal("1.234567890123"))
    assert careless == (canonical(amount), convert(amount, rate=Decimal("1.234567890123")))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("0", "greater than zero"),
        ("0.000000", "greater than zero"),
        ("-5", "greater than zero"),
        (-5, "greater than zero"),
        (0, "greater than zero"),
        ("1.0000001", "more than 6 decimals"),
        ("100000000000000", "more than 14 digits"),
        (100000000000000, "more than 14 digits"),
        ("1e3", "without an exponent"),
        ("1E+3", "without an exponent"),
        ("NaN", "plain decimal number"),
        ("Infinity", "plain decimal number"),
        ("-Infinity", "plain decimal number"),
        ("1,000.00", "plain decimal number"),
        ("1_000", "plain decimal number"),
        ("٣", "plain decimal number"),
        (" 1", "plain decimal number"),
        ("", "plain decimal number"),
        ("+1", "plain decimal number"),
        (".5", "plain decimal number"),
        ("5.", "plain decimal number"),
        ("9" * 100_000, "plain decimal number"),
        (True, "string or a number"),
        (None, "string or a number"),
        ([], "string or a number"),
        (1.5, "not a float"),
        (Decimal("NaN"), "finite"),
        (Decimal("Infinity"), "finite"),
    ],
)
def test_it_refuses_what_is_no_amount(value: object, reason: str) -> None:
    with pytest.raises(InvalidAmount, match=reason):
        parse_amount(value)


@pytest.mark.parametrize("text", ["1e3", "1E3", "1.5e2", "1e-2"])
def test_it_refuses_a_json_number_with_an_exponent(text: str) -> None:
    with pytest.raises(InvalidAmount, match="without an exponent"):
        parse_amount(parse_json(text))


def test_a_json_number_keeps_its_digits() -> None:
    assert parse_amount(parse_json("0.1")) == Decimal("0.1")
    assert parse_amount(parse_json("99999999999999.999999")) == Decimal("99999999999999.999999")


def test_a_conversion_rounds_once_to_six_decimals_half_even() -> None:
    assert convert(Decimal(1), rate=Decimal("0.0000005")) == Decimal("0.000000")
    assert convert(Decimal(1), rate=Decimal("0.0000015")) == Decimal("0.000002")
    assert convert(Decimal(3), rate=Decimal("0.333333333333")) == Decimal("1.000000")
