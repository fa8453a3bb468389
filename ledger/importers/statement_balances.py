"""The balances of one statement: on which days they hold, and whether the entries between them add up."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from ledger.domain.intake import StatedBalance
from ledger.importers.row import RowProblem, StatedRow

ONE_DAY = timedelta(days=1)
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class BalanceLine:
    """Attributes:
    day: as the bank dates it.
    """

    line: int
    currency: str
    amount: Decimal
    day: date


class StatementBalances:
    """What one statement says before, between and after its entries."""

    def __init__(self) -> None:
        self.opening: BalanceLine | None = None
        self.closing: BalanceLine | None = None
        # The first day that the statement covers, where it says so.
        self.first_day: date | None = None
        self._moved = ZERO
        self._earliest: date | None = None
        self._complete = True

    def add(self, amount: Decimal, *, day: date, currency: str) -> None:
        """Count an entry, recorded or left out: whatever the bank has booked."""
        if self.opening is not None and currency != self.opening.currency:
            self._complete = False
        self._moved += amount
        self._earliest = day if self._earliest is None else min(day, self._earliest)

    def miss(self) -> None:
        """An entry could not be read, so the sum says nothing."""
        self._complete = False

    def rows(self, *, account: str) -> Iterator[StatedRow]:
        """Yield the opening balance, at the end of the day before, and the closing one."""
        if self.opening is not None:
            yield StatedRow(
                line=self.opening.line,
                balance=_stated(self.opening, account, self._opening_day(self.opening)),
                opening=True,
            )
        if self.closing is not None:
            yield StatedRow(
                line=self.closing.line,
                balance=_stated(self.closing, account, self.closing.day),
                review=self._review(self.closing),
            )

    def _opening_day(self, opening: BalanceLine) -> date:
        """Banks date it by the last day before the statement or by its first day, which the entries tell apart."""
        firsts = [day for day in (self.first_day, self._earliest) if day is not None]
        if self.closing is not None:
            firsts.append(self.closing.day)
        if firsts and min(firsts) <= opening.day:
            return opening.day - ONE_DAY
        return opening.day

    def _review(self, closing: BalanceLine) -> tuple[RowProblem, ...]:
        if self.opening is None or not self._complete or self.opening.currency != closing.currency:
            return ()
        expected = self.opening.amount + self._moved
        if expected == closing.amount:
            return ()
        message = (
            f"is {closing.amount} where the opening balance and the entries add up to {expected}: "
            "is an entry missing?"
        )
        return (RowProblem(line=closing.line, field="closing balance", message=message),)


def _stated(line: BalanceLine, account: str, day: date) -> StatedBalance:
    return StatedBalance(account=account, currency=line.currency, amount=line.amount, day=day)
