"""What customers have paid beforehand: it is owed to them until an invoice uses it.

Money gets into a customer's balance out of payments: what they brought beyond what was asked for, and what credit
notes give back of them. An invoice uses the oldest first. The money keeps the payment that it came in with, so a
refund or a dispute of that payment takes it back wherever it has got to.

The provider counts a balance in the customer's currency; what of it is money is counted beside it, in base
currency at the payment's rate. A credit that nobody paid for, such as a goodwill, is worth nothing: an invoice
that uses it earns nothing.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from ledger.domain.money import MICRO, MONEY

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Funds:
    """A part of one payment.

    Attributes:
        payment: by which its refunds are told; empty for what nobody paid.
        amount: in the currency of the balance, as the provider counts: a refund does not lower it.
        worth: in base currency, what of it is not taken back.
        brought: what it was worth before anything was taken back.
        since: the day from which it lies where it lies.
    """

    payment: str
    amount: Decimal
    worth: Decimal
    brought: Decimal
    since: date

    def split(self, amount: Decimal) -> tuple["Funds", "Funds"]:
        """Return a part of it and the rest, which add up to it exactly."""
        if not amount:
            return Funds(self.payment, ZERO, ZERO, ZERO, self.since), self
        worth, brought = share(self.worth, amount, self.amount), share(self.brought, amount, self.amount)
        rest = Funds(self.payment, self.amount - amount, self.worth - worth, self.brought - brought, self.since)
        return Funds(self.payment, amount, worth, brought, self.since), rest


def share(of: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """Return `of` times part over whole, to six decimals; exactly `of` for all of it."""
    return MONEY.divide(MONEY.multiply(of, part), whole).quantize(MICRO, context=MONEY)


@dataclass(slots=True)
class Purse:
    """Parts of payments that lie in one place, the oldest first: a customer's balance, or what settled an invoice.

    Attributes:
        moves: (day, what it is worth more), in base currency.
    """

    funds: list[Funds] = field(default_factory=list)
    moves: list[tuple[date, Decimal]] = field(default_factory=list)

    @property
    def amount(self) -> Decimal:
        return sum((each.amount for each in self.funds), ZERO)

    def put(self, funds: Funds, *, owed_from: date) -> None:
        if funds.amount > 0:
            self.funds.append(funds)
            self.moves.append((owed_from, funds.worth))

    def take(self, amount: Decimal, *, day: date) -> tuple[Funds, ...]:
        """Take out the oldest funds, as far as there are any."""
        taken: list[Funds] = []
        while amount > 0 and self.funds:
            first = self.funds.pop(0)
            part, rest = first.split(min(amount, first.amount))
            if rest.amount > 0:
                self.funds.insert(0, rest)
            taken.append(Funds(part.payment, part.amount, part.worth, part.brought, day))
            amount -= part.amount
        if taken:
            self.moves.append((day, -sum((each.worth for each in taken), ZERO)))
        return tuple(taken)

    def take_evenly(self, amount: Decimal, *, day: date) -> tuple[Funds, ...]:
        """Take out of all funds in proportion, and what there is not as funds that nobody paid."""
        there, taken = self.amount, []
        left = min(amount, there)
        funds, self.funds = self.funds, []
        for number, each in enumerate(funds, start=1):
            wanted = left if number == len(funds) else share(min(amount, there), each.amount, there)
            part, rest = each.split(min(wanted, each.amount, left))
            left -= part.amount
            if rest.amount > 0:
                self.funds.append(rest)
            if part.amount > 0:
                taken.append(Funds(part.payment, part.amount, part.worth, part.brought, day))
        if amount > there:
            taken.append(Funds("", amount - there, ZERO, ZERO, day))
        return tuple(taken)

    def shrink_to(self, amount: Decimal, *, day: date) -> None:
        """Drop the oldest of what was there before a day: somebody has taken it away where nothing told of it."""
        before = sum((each.amount for each in self.funds if each.since < day), ZERO)
        if before > amount:
            self.take(before - amount, day=day)

    def lower(self, before: Decimal, after: Decimal, *, day: date) -> None:
        """Let what is left be at most `after`, where the provider counted `before` until then.

        Where that is less than is known here, something of the day itself was put there later.
        """
        known = self.amount
        if before >= known:
            self.take(known - after, day=day)
        else:
            self.shrink_to(after, day=day)

    def take_back(self, payment: str, part: Decimal, whole: Decimal, *, day: date) -> None:
        """Let a refund of a payment take its part of what the payment brought; a part below zero gives it back."""
        for place, each in enumerate(self.funds):
            if each.payment == payment:
                lost = min(max(share(each.brought, part, whole), each.worth - each.brought), each.worth)
                self.funds[place] = Funds(each.payment, each.amount, each.worth - lost, each.brought, each.since)
                self.moves.append((day, -lost))
