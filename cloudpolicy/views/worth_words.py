"""What calls and plans are worth, in words: ranges where it is uncertain, and why where it is not known."""

from dataclasses import dataclass
from decimal import Decimal

from cloudpolicy.engine.worth import CallWorth
from ledger.templatetags.amounts import MINUS, exact_text, money_text


@dataclass(frozen=True, slots=True)
class Worth:
    """One call's worth.

    Attributes:
        saves: a month; '' when it is not known.
        exact: the same to the cent.
        buys: days of p5 after the calls before it; '' when they are not known.
        alone: what it would buy by itself, where that is another number.
        price: how it was priced.
        because: why something is not known.
    """

    saves: str = ""
    exact: str = ""
    buys: str = ""
    alone: str = ""
    price: str = ""
    because: str = ""


def worth_of(worth: CallWorth, *, currency: str) -> Worth:
    saves = exact = ""
    if worth.monthly_saving is not None:
        low, high = worth.low, worth.high
        saves, exact = money_text(worth.monthly_saving, currency), exact_text(worth.monthly_saving, currency)
        if low is not None and high is not None and low != high:
            saves = range_text(low, high, currency)
            exact = f"{exact}, between {exact_text(low, currency)} and {exact_text(high, currency)}"
    buys = days_text(worth.days_together, is_least=worth.is_least)
    alone = days_text(worth.days_of_p5, is_least=worth.is_least)
    return Worth(
        saves=saves,
        exact=exact,
        buys=buys or alone,
        alone=alone if buys and alone != buys else "",
        price=worth.price,
        because=worth.because,
    )


def range_text(low: Decimal, high: Decimal, currency: str) -> str:
    """`$1.1 k to $1.4 k`; one figure where both read the same."""
    texts = [money_text(each, currency) for each in (low, high)]
    return texts[0] if texts[0] == texts[1] else " to ".join(texts)


def days_text(days: float | None, *, is_least: bool = False) -> str:
    """`+3 days`, `at least +3 days`, `0 days`; '' for None."""
    if days is None:
        return ""
    whole = round(days)
    sign = "+" if whole > 0 else MINUS if whole < 0 else ""
    text = f"{sign}{abs(whole):,} day{'' if abs(whole) == 1 else 's'}"
    return f"at least {text}" if is_least else text
