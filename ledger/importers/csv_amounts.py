"""Amounts the way banks and spreadsheets print them."""

import re
from collections.abc import Iterable
from decimal import Decimal

# ISO 4217, list one: currencies whose minor unit is not a hundredth.
_MINOR_DIGITS = dict.fromkeys(
    (
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ),
    0,
) | dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3)

_MAX_TEXT = 64
_SPACES = str.maketrans("", "", " \t\u00a0\u2007\u2009\u202f'’")
_SYMBOL = re.compile(r"[$€£¥₹]|[A-Z]{3}(?=[0-9.,+-])|(?<=[0-9.,])[A-Z]{3}")
_WITH_POINT = re.compile(r"(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)?(?:\.[0-9]*)?")
_WITH_COMMA = re.compile(r"(?:[0-9]+|[0-9]{1,3}(?:\.[0-9]{3})+)?(?:,[0-9]*)?")


class InvalidNumber(ValueError):
    """A text that is no amount; the message is a sentence."""


class AmbiguousMark(ValueError):
    """Amounts that read differently with a decimal point and with a decimal comma."""


def minor_digits(currency: str) -> int:
    """How many decimals the minor unit of a currency stands for: 2 for USD, 0 for JPY, 3 for KWD."""
    return _MINOR_DIGITS.get(currency, 2)


def read_number(text: str, *, decimal_mark: str) -> Decimal:
    """Read a signed number such as `-1,234.50`, `1.234,50-`, `(12.00)`, `$5` or `7.00 CR`.

    Args:
        decimal_mark: `.` or `,`; the other one groups thousands.

    Raises:
        InvalidNumber: not a number in this notation.
    """
    magnitude, negative = _unsigned(text)
    pattern = _WITH_COMMA if decimal_mark == "," else _WITH_POINT
    if len(magnitude) > _MAX_TEXT or not pattern.fullmatch(magnitude) or not any(map(str.isdigit, magnitude)):
        raise InvalidNumber(
            f"{text[:_MAX_TEXT]!r} is not a number such as {'1.250,00' if decimal_mark == ',' else '1,250.00'}"
        )
    if decimal_mark == ",":
        magnitude = magnitude.replace(".", "").replace(",", ".")
    number = Decimal(magnitude.replace(",", ""))
    return -number if negative else number


def _unsigned(text: str) -> tuple[str, bool]:
    """The digits and marks of a number, and whether anything around them says that it is negative."""
    body = text.translate(_SPACES).replace("\u2212", "-").upper()
    negative = False
    if body.endswith(("CR", "DR")):
        negative = body.endswith("DR")
        body = body[:-2]
    if body.startswith("(") and body.endswith(")"):
        negative, body = not negative, body[1:-1]
    body = _SYMBOL.sub("", body, count=1)
    if body.startswith(("-", "+")):
        negative, body = negative != (body[0] == "-"), body[1:]
    elif body.endswith(("-", "+")):
        negative, body = negative != (body[-1] == "-"), body[:-1]
    return _SYMBOL.sub("", body, count=1), negative


def detect_decimal_mark(texts: Iterable[str]) -> str:
    """`.` or `,`, whichever the amounts of a sample are written with.

    `1.234,50` and `12,5` settle it. `1,234` does not: it is a thousand or one and a bit, and guessing wrong is a
    factor of 1,000.

    Raises:
        AmbiguousMark: nothing settles it although thousands may be grouped, or the sample is written both ways.
    """
    marks: set[str] = set()
    unsettled = ""
    for text in texts:
        body = _unsigned(text)[0]
        found = [character for character in body if character in ".,"]
        if not found:
            continue
        last = found[-1]
        if len(set(found)) == 2:
            marks.add(last)
        elif len(found) > 1:
            marks.add("," if last == "." else ".")
        elif len(body) - body.index(last) - 1 != 3 or body.startswith(("0", last)):
            marks.add(last)
        else:
            unsettled = unsettled or text.strip()
    if len(marks) == 2:
        raise AmbiguousMark("amounts are written with a decimal point and with a decimal comma")
    if not marks and unsettled:
        raise AmbiguousMark(f"amounts such as {unsettled[:_MAX_TEXT]!r} may mean thousands or decimals")
    return marks.pop() if marks else "."
