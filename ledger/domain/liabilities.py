"""What of a company's cash is not its own, as its ledger states it: what a forecast of free cash starts from."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class TaxDue:
    """Payroll tax of pay days gone by that a payroll provider has announced for a later day.

    Attributes:
        day: on which it leaves.
        currency: in which it leaves.
        amount: in base currency, positive.
        is_withheld: taken from employees' pay; else the company's own, which is owed and not restricted.
    """

    day: date
    currency: str
    amount: Decimal
    is_withheld: bool


@dataclass(frozen=True, slots=True)
class Liabilities:
    """At the end of a day, in base currency.

    Attributes:
        release: what of the money that is there is earned on the day after it, on the one after that and so on,
            until all is; None where no service period or balance was ever stated: then one can but guess.
        in_credit: in customers' balances, for no invoice so far.
        deposits: received as a deposit and not given back.
        taxes: by day.
        owed_before: unearned, in credit and deposits together at the end of consecutive days; the last is the day.
    """

    release: tuple[Decimal, ...] | None
    in_credit: Decimal
    deposits: Decimal
    taxes: tuple[TaxDue, ...]
    owed_before: tuple[Decimal, ...]

    @property
    def unearned(self) -> Decimal:
        return sum(self.release or (), ZERO)
