"""What an account holds at an instant, as its journal tells."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """The journal's balance of one account in one currency.

    Attributes:
        amount: the opening balance and every move since; for an instant before the opening, less the moves until.
        opened_on: day of the statement that the count begins with; None: it begins with nothing.
        is_cash: bank, card and processor accounts hold cash; on a cloud account the amount is what was billed less
            what was paid.
    """

    account_id: int
    account: str
    kind: str
    currency: str
    amount: Decimal
    opened_on: date | None
    is_cash: bool
