"""Exact amounts: positive decimals of at most 14 integer digits and 6 decimals."""

import re
from decimal import Context, Decimal, InvalidOperation

from ledger.domain.strict_json import ExponentNumber

MICRO = Decimal("0.000001")
MAX_INTEGER_DIGITS = 14
MAX_DECIMALS = 6
LIMIT = Decimal(10) ** MAX_INTEGER_DIGITS

# Arithmetic on money never depends on what a thread did to its decimal context.
MONEY = Context(prec=60)

_PLAIN = re.compile(r"[0-9]{1,14}(?:\.[0-9]{1,6})?")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
# Longer texts are no amounts; a cap keeps a hostile number from being looked at digit by digit.
_MAX_TEXT = 64


class InvalidAmount(ValueError):
    """A value that is no amount; the message says why."""


def parse_amount(value: object) -> Decimal:
    """Return the amount that a JSON value or a text states.

    Args:
        value: a str, an int, or a Decimal made from a JSON number's text. Floats are refused: they have lost
        digits.

    Raises:
        InvalidAmount: the message is a sentence for the sender.
    """
    if type(value) is str:
        if _PLAIN.fullmatch(value) is not None:
            amount = Decimal(value)
            if amount > 0:
                return amount
            raise InvalidAmount("must be greater than zero")
        raise InvalidAmount(_why_not(value))
    if type(value) is Decimal or type(value) is int:
        return _checked(Decimal(value))
    if isinstance(value, ExponentNumber):
        raise InvalidAmount("must be written without an exponent")
    if isinstance(value, float):
        raise InvalidAmount("must be a string or an exact decimal number, not a float")
    raise InvalidAmount("must be a string or a number")


def _checked(amount: Decimal) -> Decimal:
    if not amount.is_finite():
        raise InvalidAmount("must be a finite number")
    if amount <= 0:
        raise InvalidAmount("must be greater than zero")
    if amount >= LIMIT:
        raise InvalidAmount(f"has more than {MAX_INTEGER_DIGITS} digits before the decimal point")
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -MAX_DECIMALS:
        raise InvalidAmount(f"has more than {MAX_DECIMALS} decimals")
    return amount


def _why_not(text: str) -> str:
    if len(text) > _MAX_TEXT or _NUMBER.fullmatch(text) is None:
        return "must be a plain decimal number such as 1250.00"
    if "e" in text or "E" in text:
        return "must be written without an exponent"
    try:
        _checked(Decimal(text))
    except InvalidAmount as problem:
        return str(problem)
    except InvalidOperation:
        pass
    return "must be a plain decimal number such as 1250.00"


def canonical(amount: Decimal) -> str:
    """Return the one spelling of an amount: six decimals, no exponent, e.g. `1250.000000`."""
    return str(amount.quantize(MICRO, context=MONEY))


def convert(amount: Decimal, *, rate: Decimal) -> Decimal:
    """Return amount x rate, rounded half even to six decimals."""
    return MONEY.multiply(amount, rate).quantize(MICRO, context=MONEY)


def plain(amount: Decimal) -> str:
    """An amount without the zeros that the database fills up, but with its cents."""
    shortest = amount.normalize(MONEY)
    exponent = shortest.as_tuple().exponent
    return f"{amount:.2f}" if isinstance(exponent, int) and exponent >= -2 else f"{shortest:f}"
