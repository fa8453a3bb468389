"""Deferred revenue: what customers have paid for and not received yet, day by day, in base currency."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import Any

from django.db import connection

from ledger.domain.customer_balance import share
from ledger.domain.recognition import (
    DeferredTerm,
    Refund,
    ServiceTerm,
    months_later,
    unearned_at,
    unearned_curve,
)
from ledger.selectors.customer_balances import (
    CustomerBalances,
    PutToBalance,
    SettledInvoice,
    customer_balances,
    settled_invoices,
)
from ledger.selectors.payment_refunds import Payment, PaymentRefund, payment_refunds

ZERO = Decimal(0)
ONE_DAY = timedelta(days=1)

type _Values = Mapping[str, Any]

# Income whose metadata tells of a contract over months, and that is not taken back: a reversal deletes its row.
_CONTRACTS = """
    SELECT encode(r.event_id, 'hex'), e.source, e.external_ref, r.day, r.customer, r.term_months,
           e.amount, e.currency, e.base_amount
    FROM ledger_contractreceipt r
    JOIN ledger_capitalevent e
      ON e.company_id = r.company_id AND e.event_id = r.event_id
     AND e.occurred_at >= r.day::timestamp AT TIME ZONE %(timezone)s
     AND e.occurred_at < (r.day + 1)::timestamp AT TIME ZONE %(timezone)s
    WHERE r.company_id = %(company)s AND r.deferred AND r.day < %(before)s
    ORDER BY r.day, r.event_id
"""
# Service periods as they were said last, each with the income it is a part of: an event that stands, whose object
# has that source and external reference.
_PERIODS = """
    WITH said AS (
        SELECT DISTINCT ON (source, external_ref, line)
               source, external_ref, line, document, amount, currency, "start", "end"
        FROM ledger_serviceperiod WHERE company_id = %(company)s
        ORDER BY source, external_ref, line, revision DESC
    )
    SELECT encode(e.event_id, 'hex'), e.source, e.external_ref, (e.occurred_at AT TIME ZONE %(timezone)s)::date,
           e.counterparty, said.line, said.document, said."start", said."end", said.amount,
           e.amount, e.currency, e.base_amount
    FROM said
    JOIN ledger_account a ON a.company_id = %(company)s
    JOIN ledger_externalobject o
      ON o.company_id = a.company_id AND o.account_id = a.id AND o.source = said.source
     AND o.event_type = 'income' AND o.direction = 'in' AND o.external_ref = said.external_ref AND o.twin = ''
     AND NOT o.reversed
    JOIN ledger_capitalevent e
      ON e.company_id = o.company_id AND e.event_id = o.event_id AND e.occurred_at = o.occurred_at
    WHERE said.amount > 0 AND said.currency = e.currency
      AND a.kind IN ('bank', 'card', 'processor')
      AND e.occurred_at < %(before)s::timestamp AT TIME ZONE %(timezone)s
    ORDER BY e.occurred_at, e.source, e.external_ref, said.line
"""
# Credit notes as they were said last.
_CREDIT_NOTES = """
    SELECT source, document, currency, day, coalesce(issued_on, day), lines, refunds, to_balance, out_of_band
    FROM (
        SELECT DISTINCT ON (source, external_ref) *
        FROM ledger_creditnote WHERE company_id = %(company)s
        ORDER BY source, external_ref, revision DESC
    ) said
    WHERE day < %(before)s
    ORDER BY day, source, external_ref
"""


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


@dataclass(frozen=True, slots=True)
class _Period:
    """A service period of a payment, before anything was taken back of it.

    Attributes:
        part: what of the payment it earns, in the payment's currency.
        since: the day on which it was paid: the payment came, or an invoice used it out of a balance.
        brought: what of the payment it is, in base currency; more than the term where a refund came before.
        document, line: the invoice and its line; empty for a contract.
        from_balance: what was taken back before `since` was taken from the balance.
    """

    payment: Payment
    term: ServiceTerm
    part: Decimal
    since: date
    brought: Decimal
    document: str = ""
    line: str = ""
    from_balance: bool = False


@dataclass(frozen=True, slots=True)
class _CreditNote:
    source: str
    document: str
    currency: str
    day: date
    issued_on: date
    lines: tuple[tuple[str, Decimal], ...]
    refunds: tuple[tuple[str, Decimal], ...]
    to_balance: Decimal
    out_of_band: Decimal

    @property
    def key(self) -> tuple[str, str]:
        return self.source, self.document

    @property
    def carried_out(self) -> Decimal:
        """What it comes to, tax included."""
        return sum((amount for _, amount in self.refunds), self.to_balance + self.out_of_band)


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
    stated = _stated(values)
    # What somebody says about the very payment goes before what its contract implies.
    said_about = {period.payment.event_id for period in stated}
    implied = [period for period in _contracts(values) if period.payment.event_id not in said_about]
    invoices = settled_invoices(company_id=company_id, timezone=timezone, before=end)
    notes = _credit_notes(values)
    periods = [*stated, *implied]
    carried = _carried(notes, periods, invoices)
    refunds = _refunds(values, periods, invoices, start=start)
    balances = _balances(periods, invoices, notes, refunds, carried)
    periods += _from_balances(invoices, balances)
    taken = _taken_back(periods, notes, refunds, carried)
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
        in_credit=_summed([*balances.moves, *_lasting_credit(stated, notes, invoices)], days),
        payments=payments,
    )


def _matters(period: _Period, back: Iterable[Refund], start: date) -> bool:
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


def _contracts(values: _Values) -> list[_Period]:
    with connection.cursor() as cursor:
        cursor.execute(_CONTRACTS, values)
        rows = cursor.fetchall()
    return [
        _Period(
            payment=Payment(event_id, source, external_ref, day, customer, amount, currency, base_amount),
            term=ServiceTerm(base_amount, day, months_later(day, term_months)),
            part=amount,
            since=day,
            brought=base_amount,
        )
        for event_id, source, external_ref, day, customer, term_months, amount, currency, base_amount in rows
    ]


def _stated(values: _Values) -> list[_Period]:
    with connection.cursor() as cursor:
        cursor.execute(_PERIODS, values)
        rows = cursor.fetchall()
    found = []
    stated: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for event_id, source, external_ref, day, customer, line, document, start, end, part, *paid in rows:
        stated[event_id] += part
        payment = Payment(event_id, source, external_ref, day, customer, *paid)
        found.append((payment, line, document, start, end, part))
    periods = []
    for payment, line, document, start, end, part in found:
        # Periods that claim more than was paid share what was paid.
        claimed = max(payment.amount, stated[payment.event_id])
        worth = share(payment.base_amount, part, claimed)
        own = share(payment.amount, part, claimed)
        term = ServiceTerm(worth, start, end)
        periods.append(_Period(payment, term, own, payment.received_on, worth, document, line))
    return periods


def _credit_notes(values: _Values) -> list[_CreditNote]:
    with connection.cursor() as cursor:
        cursor.execute(_CREDIT_NOTES, values)
        rows = cursor.fetchall()
    return [
        _CreditNote(
            source,
            document,
            currency,
            day,
            issued_on,
            tuple((line, Decimal(amount)) for line, amount in json.loads(lines)),
            tuple((reference, Decimal(amount)) for reference, amount in json.loads(refunds)),
            to_balance,
            out_of_band,
        )
        for source, document, currency, day, issued_on, lines, refunds, to_balance, out_of_band in rows
    ]


def _carried(
    notes: Iterable[_CreditNote], periods: Iterable[_Period], invoices: Iterable[SettledInvoice]
) -> dict[tuple[str, str], Decimal]:
    """Return what credit notes say about refunds, by source and reference.

    Where an invoice states no periods, the refund of a note is a refund like any other.
    """
    with_periods = {(period.payment.source, period.document) for period in periods if period.document}
    with_periods |= {invoice.key for invoice in invoices if invoice.lines}
    carried: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for note in notes:
        for reference, amount in note.refunds if note.key in with_periods else ():
            carried[note.source, reference] += amount
    return carried


def _refunds(
    values: _Values, periods: Iterable[_Period], invoices: Iterable[SettledInvoice], *, start: date
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
    periods: Iterable[_Period],
    invoices: Sequence[SettledInvoice],
    notes: Iterable[_CreditNote],
    refunds: Iterable[PaymentRefund],
    carried: Mapping[tuple[str, str], Decimal],
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
        invoices=invoices, puts=puts, refunds=refunds, carried=carried, earned_otherwise=earned
    )


def _from_balances(invoices: Iterable[SettledInvoice], balances: CustomerBalances) -> Iterator[_Period]:
    """Yield the periods of what invoices used of balances, as parts of the payments that it came in with."""
    for invoice in invoices:
        for funds in balances.used.get(invoice.key, ()):
            payment = balances.payments[funds.payment]
            left, lines_left = funds, invoice.used
            for used in invoice.lines:
                part, left = left.split(share(left.amount, used.amount, lines_left))
                lines_left -= used.amount
                if part.amount:
                    yield _Period(
                        payment=payment,
                        term=ServiceTerm(part.worth, used.start, used.end),
                        part=part.amount,
                        since=funds.since,
                        brought=part.brought,
                        document=invoice.document,
                        line=used.line,
                        from_balance=True,
                    )


def _taken_back(
    periods: Sequence[_Period],
    notes: Iterable[_CreditNote],
    refunds: Iterable[PaymentRefund],
    carried: Mapping[tuple[str, str], Decimal],
) -> list[list[Refund]]:
    """Return what is taken back from each period, in base currency at the rate of its payment."""
    taken: list[list[Refund]] = [[] for _ in periods]
    # What went to a balance is a part of the payment there, and no more of the period.
    moved: list[list[Refund]] = [[] for _ in periods]
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    by_payment: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, period in enumerate(periods):
        if period.document:
            places[period.payment.source, period.document].append(place)
        if period.payment.external_ref:
            by_payment[period.payment.source, period.payment.external_ref].append(place)
    for note in notes:
        own = [place for place in places.get(note.key, ()) if periods[place].payment.currency == note.currency]
        for place, amount in _credited(note, periods, own):
            period = periods[place]
            worth = share(period.term.amount, amount, period.part)
            taken[place].append(Refund(note.day, worth))
            if note.to_balance:
                moved[place].append(Refund(note.day, share(worth, note.to_balance, note.carried_out)))
    for refund in refunds:
        for place in by_payment.get((refund.source, refund.refund_of), ()):
            period = periods[place]
            if period.from_balance and refund.day < period.since:
                continue
            part = refund.part_of(period.payment, less=carried.get((refund.source, refund.external_ref), ZERO))
            if part is not None:
                elsewhere = sum((gone.amount for gone in moved[place] if gone.day <= refund.day), ZERO)
                taken[place].append(Refund(refund.day, share(max(period.brought - elsewhere, ZERO), *part)))
    return taken


def _credited(note: _CreditNote, periods: Sequence[_Period], own: Sequence[int]) -> Iterator[tuple[int, Decimal]]:
    """Yield what a note credits on each of its invoice's periods, in the currency of both.

    Periods of one line, paid in several ways, share it. A line that covers no days has no period: what was
    credited on it was earned at once.
    """
    for line, amount in note.lines:
        credited = [place for place in own if periods[place].part and line in ("", periods[place].line)]
        whole = sum((periods[place].part for place in credited), ZERO)
        yield from ((place, share(periods[place].part, amount, whole)) for place in credited)


def _lasting_credit(
    periods: Iterable[_Period], notes: Iterable[_CreditNote], invoices: Iterable[SettledInvoice]
) -> Iterator[tuple[date, Decimal]]:
    """Yield (day, amount in base currency) of what notes put to balances of customers that nobody named.

    Their invoices were read before what they are settled by was kept: it stays owed.
    """
    known = {invoice.key for invoice in invoices}
    payments = {(period.payment.source, period.document): period.payment for period in periods if period.document}
    for note in notes:
        payment = payments.get(note.key)
        if note.to_balance and note.key not in known and payment and payment.currency == note.currency:
            yield note.day, share(payment.base_amount, note.to_balance, payment.amount)


def _summed(moves: Iterable[tuple[date, Decimal]], days: Sequence[date]) -> tuple[Decimal, ...]:
    """Return the sum of all moves until the end of each day."""
    of_day: dict[date, Decimal] = defaultdict(lambda: ZERO)
    for day, amount in moves:
        of_day[max(day, days[0])] += amount
    return tuple(accumulate(of_day[day] for day in days))
