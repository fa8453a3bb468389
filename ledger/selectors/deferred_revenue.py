"""Deferred revenue: what customers have paid for and not received yet, day by day, in base currency."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from ledger.domain.recognition import (
    DeferredTerm,
    unearned_at,
    unearned_curve,
)
from ledger.selectors.earning_periods import contract_periods, stated_periods
from ledger.selectors.earning_terms import earning_terms, in_credit

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


def deferred_revenue(*, company_id: int, timezone: str, start: date, end: date) -> DeferredRevenue:
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
    """
    if end <= start:
        return DeferredRevenue((), (), (), (), (), ())
    values = {"company": company_id, "timezone": timezone, "before": end}
    told = earning_terms(values, stated_periods(values), contract_periods(values), start=start, earliest=start)
    terms = told.terms
    owed = unearned_curve(terms, start=start - ONE_DAY, end=end)
    days = tuple(start + timedelta(days=number) for number in range((end - start).days))
    last = end - ONE_DAY
    payments = tuple(
        DeferredPayment(period.payment.event_id, period.payment.customer, term, unearned_at(term, day=last))
        for (period, _), term in zip(told.alive, terms, strict=True)
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
        in_credit=in_credit(told.credit_moves, days),
        payments=payments,
    )


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
