"""An amount that a person types: 12,345.67."""

import re
from decimal import Decimal

# A comma that parts no thousands is a decimal comma, as likely as not: 1.234,56 must not become 1.23456.
_TYPED = re.compile(r"[+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,20})(?:\.[0-9]{1,6})?", re.ASCII)


class NotAnAmount(ValueError):
    """A text that is no amount, or one that could be read in two ways."""


def typed_amount(text: str) -> Decimal:
    """Return the amount that a text states: point for decimals, commas between thousands or none.

    Raises:
        NotAnAmount: anything else.
    """
    text = text.strip().replace("\N{MINUS SIGN}", "-")
    if _TYPED.fullmatch(text) is None:
        raise NotAnAmount(text)
    return Decimal(text.replace(",", ""))
