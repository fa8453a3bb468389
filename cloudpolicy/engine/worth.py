"""What the calls of a plan are worth: money a month, and days of p5."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class CallWorth:
    """One call of a plan. Money is in the company's base currency, before credits.

    Attributes:
        monthly_saving: with the calls before it made; below zero where it costs. So savings add up. None when it
            is not known.
        low, high: where it is uncertain: what is paid ahead is paid on, and spot prices move. Equal where not.
        days_of_p5: what this saving alone adds to p5; None when it is not known.
        days_together: what it adds after the calls before it. These add up to the plan's; the ones alone do not,
            since a day that is gained has burn of its own.
        is_least: p5 reaches beyond the horizon: at least so many days.
        price: how it was priced, in words; '' when it was not.
        because: why saving or days are not known; '' when they are.
    """

    monthly_saving: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    days_of_p5: int | None = None
    days_together: int | None = None
    is_least: bool = False
    price: str = ""
    because: str = ""

    def as_dict(self) -> dict[str, Any]:
        """As JSON content; money as text."""
        return {
            "monthly_saving": _text(self.monthly_saving),
            "low": _text(self.low),
            "high": _text(self.high),
            "days_of_p5": self.days_of_p5,
            "days_together": self.days_together,
            "is_least": self.is_least,
            "price": self.price,
            "because": self.because,
        }


def parse_call_worth(stored: Mapping[str, Any]) -> CallWorth:
    """Read `CallWorth.as_dict` back."""
    money = {key: _money(stored[key]) for key in ("monthly_saving", "low", "high")}
    return CallWorth(**{**stored, **money})


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"


def _money(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
