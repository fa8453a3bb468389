"""Deferred revenue: what customers have paid for and not received yet, day by day, in base currency."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import Any

from ledger.domain.customer_balance import share
from ledger.domain.recognition import (
    DeferredTerm,
    Refund,
    ServiceTerm,
    unearned_at,
    unearned_curve,
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
from ledger.selectors.earning_periods import EarningPeriod, contract_periods, stated_periods
from ledger.selectors.payment_refunds import PaymentRefund, payment_refunds
from ledger.selectors.taken_back import taken_back

ZERO = Decimal(0)
ONE_DAY = timedelta(days=1)

type _Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DeferredPayment:
    """A part of one payment that is earned over a service period. Amounts in base currency.

    The rate is that of the payment, for good: what is owed is a service, not money (IFRIC 22).

    Attributes:
        event_id: of the payment in the journal.
        customer: the payment's counterparty.
        unearned: at the end of the last day asked for.
    """

    event_id: str
    customer: str
    deferred: DeferredTerm
    unearned: Decimal


@dataclass(frozen=True, slots=True)
class DeferredRevenue:
    """The liability day by day, in base currency.

    Attributes:
        days: consecutive.
        unearned: at the end of each day.
        earned: revenue of each day out of these payments; what a refund takes back of it counts against it.
        taken_back: on each day, by refunds, credit notes and disputes; below zero when it was given again. What
            came in, or was used of a customer's balance, is earned, unearned or taken back, to the last digit, at
            the end of every day.
        in_credit: what customers have paid beforehand and no invoice has used so far, tax included. It is owed as
            well, and no part of `unearned`: what an invoice uses of it is from then on.
        payments: with something unearned on one of the days, by day of payment.
    """

    days: tuple[date, ...]
    unearned: tuple[Decimal, ...]
    earned: tuple[Decimal, ...]
    taken_back: tuple[Decimal, ...]
    in_credit: tuple[Decimal, ...]
    payments: tuple[DeferredPayment, ...]


def deferred_revenue(
    *, company_id: int, timezone: str, start: date, end: date, only_owed: bool = False
) -> DeferredRevenue:
    """Return what is received and not earned at the end of every day of [start, end).

    A payment is earned over the service periods that were stated for it, else over its contract's months from the
    day of payment on. A reversed payment counts no more. A refund or dispute (`refund_of` in the metadata of an
    event of the same source) takes from what is unearned on its day, in the proportion in which it takes from the
    payment; a credit note takes from the periods of the lines that it names, and its refund not a second time.
    What an invoice uses of a customer's balance is earned over that invoice's periods, from the day on on which it
    uses it, as a part of the payment that it once came in with.

    Reads the daily sums: call `catch_up` first.

    Args:
        timezone: of the company; decides what a day is.
        only_owed: for who asks for what is owed alone: payments that were earned before the first day are not
            read, and `earned` and `taken_back` are without what is taken back of them later.
    """
    if end <= start:
        return DeferredRevenue((), (), (), (), (), ())
    values = {
        "company": company_id,
        "timezone": timezone,
        "before": end,
        "ending_after": start if only_owed else None,
    }
    contracts = contract_periods(values)
    stated = stated_periods(values, contracts=contracts)
    # What somebody says about the very payment goes before what its contract implies.
    said_about = {period.payment.event_id for period in stated}
    implied = [period for period in contracts if period.payment.event_id not in said_about]
    invoices = settled_invoices(company_id=company_id, timezone=timezone, before=end)
    notes = credit_notes(values)
    periods = [*stated, *implied]
    carried = carried_by_notes(notes, periods, invoices)
    refunds = _refunds(values, periods, invoices, start=start)
    lowered = lowered_by_hand(company_id=company_id, timezone=timezone, before=end) if invoices else []
    balances = _balances(periods, invoices, notes, refunds, carried, lowered)
    periods += _from_balances(invoices, balances)
    taken = taken_back(periods, notes, refunds, carried)
    alive = sorted(
        ((period, back) for period, back in zip(periods, taken, strict=True) if _matters(period, back, start)),
        key=lambda found: (found[0].since, found[0].payment.event_id, found[0].term.start),
    )
    terms = [DeferredTerm(period.term, period.since, tuple(back)) for period, back in alive]
    owed = unearned_curve(terms, start=start - ONE_DAY, end=end)
    days = tuple(start + timedelta(days=number) for number in range((end - start).days))
    last = end - ONE_DAY
    payments = tuple(
        DeferredPayment(period.payment.event_id, period.payment.customer, term, unearned_at(term, day=last))
        for (period, _), term in zip(alive, terms, strict=True)
        if period.term.end >= start
    )
    received, back = _moves(terms)
    earned = tuple(
        received[day] - back[day] - (after - before)
        for day, before, after in zip(days, owed, owed[1:], strict=False)
    )
    return DeferredRevenue(
        days=days,
        unearned=owed[1:],
        earned=earned,
        taken_back=tuple(back[day] for day in days),
        in_credit=_summed([*balances.moves, *lasting_credit(stated, notes, invoices)], days),
        payments=payments,
    )


def _matters(period: EarningPeriod, back: Iterable[Refund], start: date) -> bool:
    """Whether anything about a period happens on or after a day: one that is over may still be taken back."""
    return period.term.end >= start or any(refund.day >= start for refund in back)


def _moves(terms: Iterable[DeferredTerm]) -> tuple[dict[date, Decimal], dict[date, Decimal]]:
    """Return what came in on each day, and what was taken back.

    What is taken back before the money came counts on the day it came.
    """
    received: dict[date, Decimal] = defaultdict(lambda: ZERO)
    back: dict[date, Decimal] = defaultdict(lambda: ZERO)
    for term in terms:
        received[term.received_on] += term.term.amount
        for refund in term.refunds:
            back[max(refund.day, term.received_on)] += refund.amount
    return received, back


def _refunds(
    values: _Values, periods: Iterable[EarningPeriod], invoices: Iterable[SettledInvoice], *, start: date
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
        first=min([start, *earning, *(payment.received_on for payment in in_balances)]),
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


def _summed(moves: Iterable[tuple[date, Decimal]], days: Sequence[date]) -> tuple[Decimal, ...]:
    """Return the sum of all moves until the end of each day."""
    of_day: dict[date, Decimal] = defaultdict(lambda: ZERO)
    for day, amount in moves:
        of_day[max(day, days[0])] += amount
    return tuple(accumulate(of_day[day] for day in days))
