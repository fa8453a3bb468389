"""Service periods with all that is said about their payments: what was taken back, and what went by a balance."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import accumulate
from typing import Any

from ledger.domain.customer_balance import share
from ledger.domain.recognition import (
    DeferredTerm,
    Refund,
    ServiceTerm,
)
from ledger.selectors.credit_notes import CreditNote, carried_by_notes, credit_notes, lasting_credit
from ledger.selectors.customer_balances import (
    CustomerBalances,
    LoweredByHand,
    PutToBalance,
    SettledInvoice,
    customer_balances,
    lowered_by_hand,
    settled_invoices,
)
from ledger.selectors.earning_periods import EarningPeriod
from ledger.selectors.payment_refunds import PaymentRefund, payment_refunds
from ledger.selectors.taken_back import taken_back

ZERO = Decimal(0)

type _Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EarningTerms:
    """Attributes:
    alive: the periods that matter on or after a day, with what is taken back of each, by day of payment.
    credit_moves: (day, what customers have in credit more), in base currency.
    """

    alive: tuple[tuple[EarningPeriod, tuple[Refund, ...]], ...]
    credit_moves: tuple[tuple[date, Decimal], ...]

    @property
    def terms(self) -> list[DeferredTerm]:
        return [DeferredTerm(period.term, period.since, back) for period, back in self.alive]


def earning_terms(
    values: _Values,
    stated: list[EarningPeriod],
    contracts: Iterable[EarningPeriod],
    *,
    start: date,
    earliest: date,
) -> EarningTerms:
    """Put together what is stated, implied and taken back.

    Args:
        start: what was over before it and not touched since is left out.
        earliest: a day since which refunds are read, if nothing here asks for an earlier one.
    """
    timezone, end = values["timezone"], values["before"]
    # What somebody says about the very payment goes before what its contract implies.
    said_about = {period.payment.event_id for period in stated}
    implied = [period for period in contracts if period.payment.event_id not in said_about]
    invoices = settled_invoices(company_id=values["company"], timezone=timezone, before=end)
    notes = credit_notes(values)
    periods = [*stated, *implied]
    carried = carried_by_notes(notes, periods, invoices)
    refunds = _refunds(values, periods, invoices, start=start, earliest=earliest)
    lowered = lowered_by_hand(company_id=values["company"], timezone=timezone, before=end) if invoices else []
    balances = _balances(periods, invoices, notes, refunds, carried, lowered)
    periods += _from_balances(invoices, balances)
    taken = taken_back(periods, notes, refunds, carried)
    alive = sorted(
        (
            (period, tuple(back))
            for period, back in zip(periods, taken, strict=True)
            if _matters(period, back, start)
        ),
        key=lambda found: (found[0].since, found[0].payment.event_id, found[0].term.start),
    )
    return EarningTerms(tuple(alive), (*balances.moves, *lasting_credit(stated, notes, invoices)))


def _matters(period: EarningPeriod, back: Iterable[Refund], start: date) -> bool:
    """Whether anything about a period happens on or after a day: one that is over may still be taken back."""
    return period.term.end >= start or any(refund.day >= start for refund in back)


def _refunds(
    values: _Values,
    periods: Iterable[EarningPeriod],
    invoices: Iterable[SettledInvoice],
    *,
    start: date,
    earliest: date,
) -> list[PaymentRefund]:
    """Return refunds since the oldest payment that is still earned on or after a day, or was in a balance.

    Of payments that were all earned before, only what is taken back from that day on changes anything.
    """
    in_balances = [
        payment
        for invoice in invoices
        for payment in (invoice.payment, invoice.overpaid_by)
        if payment is not None
    ]
    earning = [period.payment.received_on for period in periods if period.term.end >= start]
    return payment_refunds(
        company_id=values["company"],
        timezone=values["timezone"],
        payments=[*(period.payment for period in periods), *in_balances],
        first=min([start, earliest, *earning, *(payment.received_on for payment in in_balances)]),
        before=values["before"],
    )


def _balances(
    periods: Iterable[EarningPeriod],
    invoices: Sequence[SettledInvoice],
    notes: Iterable[CreditNote],
    refunds: Iterable[PaymentRefund],
    carried: Mapping[tuple[str, str], Decimal],
    lowered: Iterable[LoweredByHand],
) -> CustomerBalances:
    known = {invoice.key: invoice.currency for invoice in invoices}
    earned: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for period in periods:
        earned[period.payment.event_id] += period.term.amount
    puts = [
        PutToBalance(note.source, note.document, note.day, note.issued_on, note.to_balance)
        for note in notes
        if note.to_balance and known.get(note.key) == note.currency
    ]
    return customer_balances(
        invoices=invoices, lowered=lowered, puts=puts, refunds=refunds, carried=carried, earned_otherwise=earned
    )


def _from_balances(invoices: Iterable[SettledInvoice], balances: CustomerBalances) -> Iterator[EarningPeriod]:
    """Yield the periods of what invoices used of balances, as parts of the payments that it came in with."""
    for invoice in invoices:
        for funds in balances.used.get(invoice.key, ()):
            payment = balances.payments[funds.payment]
            left, lines_left = funds, invoice.used
            for used in invoice.lines:
                part, left = left.split(share(left.amount, used.amount, lines_left))
                lines_left -= used.amount
                if part.amount:
                    yield EarningPeriod(
                        payment=payment,
                        term=ServiceTerm(part.worth, used.start, used.end),
                        part=part.amount,
                        since=funds.since,
                        brought=part.brought,
                        document=invoice.document,
                        line=used.line,
                        from_balance=True,
                    )


def in_credit(moves: Iterable[tuple[date, Decimal]], days: Sequence[date]) -> tuple[Decimal, ...]:
    """Return what customers have in credit at the end of each of consecutive days."""
    of_day: dict[date, Decimal] = defaultdict(lambda: ZERO)
    for day, amount in moves:
        of_day[max(day, days[0])] += amount
    return tuple(accumulate(of_day[day] for day in days))
