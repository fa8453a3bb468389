"""A company as other parts of the application know it."""

from dataclasses import dataclass


class CompanyNotFound(LookupError):
    """No company has this slug or number; the message names it."""


@dataclass(frozen=True, slots=True)
class CompanyRef:
    """Attributes:
    base_currency: ISO 4217; the currency of its books, balances and forecasts.
    timezone: IANA name; decides what a day is.
    """

    id: int
    slug: str
    name: str
    base_currency: str
    timezone: str
