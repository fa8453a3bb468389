"""Deferred revenue: what customers have paid for and not received yet, day by day, in base currency."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db import connection

from ledger.domain.money import MICRO, MONEY
from ledger.domain.recognition import (
    DeferredTerm,
    Refund,
    ServiceTerm,
    months_later,
    unearned_at,
    unearned_curve,
)

ZERO = Decimal(0)
ONE_DAY = timedelta(days=1)
_AMOUNT = re.compile(r"[0-9]{1,14}(?:\.[0-9]{1,6})?")

type _Values = dict[str, int | str | date | list[str]]

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
# What takes money back names what it takes back in `refund_of`, by the external reference of the income. What
# comes in with such a name was taken back before and is given again, as when a dispute is won. Where the currency
# is not the payment's, `refund_amount` may say what that is in the payment's.
_REFUNDS = """
    SELECT e.source, e.external_ref, e.metadata ->> 'refund_of', (e.occurred_at AT TIME ZONE %(timezone)s)::date,
           e.direction, e.amount, e.currency, e.base_amount,
           e.metadata ->> 'refund_amount', e.metadata ->> 'refund_currency'
    FROM ledger_capitalevent e
    WHERE e.company_id = %(company)s AND e.source = ANY (%(sources)s)
      AND e.event_type IN ('expense', 'adjustment', 'income') AND e.reverses IS NULL
      AND e.occurred_at >= %(first)s::timestamp AT TIME ZONE %(timezone)s
      AND e.occurred_at < %(before)s::timestamp AT TIME ZONE %(timezone)s
      AND e.metadata ? 'refund_of'
      AND EXISTS (
          SELECT FROM ledger_externalobject o
          WHERE o.company_id = e.company_id AND o.account_id = e.account_id AND o.source = e.source
            AND o.event_type = e.event_type AND o.direction = e.direction AND o.external_ref = e.external_ref
            AND o.twin = CASE e.external_ref WHEN '' THEN e.event_id ELSE ''::bytea END
            AND o.event_id = e.event_id AND NOT o.reversed
      )
    ORDER BY e.occurred_at, e.source, e.external_ref
"""
# Credit notes as they were said last.
_CREDIT_NOTES = """
    SELECT source, document, currency, day, lines, refunds, to_balance FROM (
        SELECT DISTINCT ON (source, external_ref)
               source, external_ref, document, currency, day, lines, refunds, to_balance
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
            came in is earned, unearned or taken back, to the last digit, at the end of every day.
        in_credit: what credit notes have put to the balances of customers so far, tax included: owed to them until
            they use it. No part of `unearned`.
        payments: with something unearned on one of the days, by day of payment.
    """

    days: tuple[date, ...]
    unearned: tuple[Decimal, ...]
    earned: tuple[Decimal, ...]
    taken_back: tuple[Decimal, ...]
    in_credit: tuple[Decimal, ...]
    payments: tuple[DeferredPayment, ...]


@dataclass(frozen=True, slots=True)
class _Payment:
    """Attributes:
    amount: in `currency`, positive.
    base_amount: what it was worth.
    """

    event_id: str
    source: str
    external_ref: str
    received_on: date
    customer: str
    amount: Decimal
    currency: str
    base_amount: Decimal


@dataclass(frozen=True, slots=True)
class _Period:
    """A service period of a payment, before anything was taken back.

    Attributes:
        part: what of the payment it earns, in the payment's currency.
        document, line: the invoice and its line; empty for a contract.
    """

    payment: _Payment
    term: ServiceTerm
    part: Decimal
    document: str = ""
    line: str = ""


@dataclass(frozen=True, slots=True)
class _CreditNote:
    source: str
    document: str
    currency: str
    day: date
    lines: tuple[tuple[str, Decimal], ...]
    refunds: tuple[tuple[str, Decimal], ...]
    to_balance: Decimal


def deferred_revenue(*, company_id: int, timezone: str, start: date, end: date) -> DeferredRevenue:
    """Return what is received and not earned at the end of every day of [start, end).

    A payment is earned over the service periods that were stated for it, else over its contract's months from the
    day of payment on. A reversed payment counts no more. A refund or dispute (`refund_of` in the metadata of an
    event of the same source) takes from what is unearned on its day, in the proportion in which it takes from the
    payment; a credit note takes from the periods of the lines that it names, and its refund not a second time.

    Reads the daily sums: call `catch_up` first.

    Args:
        timezone: of the company; decides what a day is.
    """
    if end <= start:
        return DeferredRevenue((), (), (), (), (), ())
    values: _Values = {"company": company_id, "timezone": timezone, "before": end}
    stated = _stated(values)
    # What somebody says about the very payment goes before what its contract implies.
    said_about = {period.payment.event_id for period in stated}
    implied = [period for period in _contracts(values) if period.payment.event_id not in said_about]
    notes = _credit_notes(values)
    periods = [*stated, *implied]
    taken = _taken_back(periods, notes, values, start=start)
    in_credit = _in_credit(periods, notes)
    alive = sorted(
        ((period, back) for period, back in zip(periods, taken, strict=True) if _matters(period, back, start)),
        key=lambda found: (found[0].payment.received_on, found[0].payment.event_id, found[0].term.start),
    )
    terms = [DeferredTerm(period.term, period.payment.received_on, tuple(back)) for period, back in alive]
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
        in_credit=tuple(sum((amount for on, amount in in_credit if on <= day), ZERO) for day in days),
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
            payment=_Payment(event_id, source, external_ref, day, customer, amount, currency, base_amount),
            term=ServiceTerm(base_amount, day, months_later(day, term_months)),
            part=amount,
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
        payment = _Payment(event_id, source, external_ref, day, customer, *paid)
        found.append((payment, line, document, start, end, part))
    periods = []
    for payment, line, document, start, end, part in found:
        # Periods that claim more than was paid share what was paid.
        claimed = max(payment.amount, stated[payment.event_id])
        worth = _portion(payment.base_amount, part, claimed)
        own = _portion(payment.amount, part, claimed)
        periods.append(_Period(payment, ServiceTerm(worth, start, end), own, document, line))
    return periods


def _portion(of: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """Return `of` times part over whole, to six decimals; exactly `of` for all of it."""
    return MONEY.divide(MONEY.multiply(of, part), whole).quantize(MICRO, context=MONEY)


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
            tuple((line, Decimal(amount)) for line, amount in json.loads(lines)),
            tuple((reference, Decimal(amount)) for reference, amount in json.loads(refunds)),
            to_balance,
        )
        for source, document, currency, day, lines, refunds, to_balance in rows
    ]


def _taken_back(
    periods: Sequence[_Period], notes: Iterable[_CreditNote], values: _Values, *, start: date
) -> list[list[Refund]]:
    """Return what is taken back from each period, in base currency at the rate of its payment."""
    taken: list[list[Refund]] = [[] for _ in periods]
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    by_payment: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, period in enumerate(periods):
        if period.document:
            places[period.payment.source, period.document].append(place)
        if period.payment.external_ref:
            by_payment[period.payment.source, period.payment.external_ref].append(place)
    carried: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for note in notes:
        own = [
            place
            for place in places.get((note.source, note.document), ())
            if periods[place].payment.currency == note.currency
        ]
        if not own:
            # Its invoice states no periods: then its refund is a refund like any other.
            continue
        for reference, amount in note.refunds:
            carried[note.source, reference] += amount
        for place, amount in _credited(note, periods, own):
            period = periods[place]
            worth = _portion(period.payment.base_amount, amount, period.payment.amount)
            taken[place].append(Refund(note.day, worth))
    for refund in _refunds(values, periods, start=start):
        for place in by_payment.get((refund.source, refund.refund_of), ()):
            period = periods[place]
            part = refund.part_of(period.payment, less=carried[refund.source, refund.external_ref])
            if part is not None:
                worth = _portion(period.term.amount, *part)
                taken[place].append(Refund(refund.day, worth if refund.direction == "out" else -worth))
    return taken


def _credited(note: _CreditNote, periods: Sequence[_Period], own: Sequence[int]) -> Iterator[tuple[int, Decimal]]:
    """Yield what a note credits on each of its invoice's periods, in the currency of both.

    A line that covers no days has no period: what was credited on it was earned at once.
    """
    whole = sum((periods[place].part for place in own), ZERO)
    for line, amount in note.lines:
        if line:
            yield from ((place, amount) for place in own if periods[place].line == line)
        elif whole:
            yield from ((place, _portion(periods[place].part, amount, whole)) for place in own)


def _in_credit(periods: Iterable[_Period], notes: Iterable[_CreditNote]) -> list[tuple[date, Decimal]]:
    """Return (day, amount in base currency) of what notes put to the balances of customers."""
    payments = {(period.payment.source, period.document): period.payment for period in periods if period.document}
    found = []
    for note in notes:
        payment = payments.get((note.source, note.document))
        if note.to_balance and payment is not None and payment.currency == note.currency:
            found.append((note.day, _portion(payment.base_amount, note.to_balance, payment.amount)))
    return found


@dataclass(frozen=True, slots=True)
class _Refund:
    """Attributes:
    stated: (amount, currency) in which the payment is meant, where the refund's own differ.
    """

    source: str
    external_ref: str
    refund_of: str
    day: date
    direction: str
    amount: Decimal
    currency: str
    base_amount: Decimal
    stated: tuple[Decimal, str] | None

    def part_of(self, payment: _Payment, *, less: Decimal) -> tuple[Decimal, Decimal] | None:
        """Return which part of a payment is taken back, as (part, whole); None for nothing.

        Args:
            less: what credit notes say about this refund already, in its own currency.
        """
        rest = self.amount - less
        if rest <= 0:
            return None
        if self.currency == payment.currency:
            return rest, payment.amount
        if self.stated is not None and self.stated[1] == payment.currency:
            return self.stated[0], payment.amount
        return self.base_amount, payment.base_amount


def _refunds(values: _Values, periods: Sequence[_Period], *, start: date) -> list[_Refund]:
    """Return refunds since the oldest payment that is still earned on or after a day.

    Of payments that were all earned before, only what is taken back from that day on changes anything.
    """
    if not periods:
        return []
    payments = [period.payment for period in periods]
    earning = [period.payment.received_on for period in periods if period.term.end >= start]
    more: _Values = {
        "sources": sorted({payment.source for payment in payments}),
        "first": min([start, *earning]),
    }
    with connection.cursor() as cursor:
        cursor.execute(_REFUNDS, {**values, **more})
        rows = cursor.fetchall()
    return [
        _Refund(source, reference, of, day, direction, amount, currency, base_amount, _stated_amount(*stated))
        for source, reference, of, day, direction, amount, currency, base_amount, *stated in rows
    ]


def _stated_amount(amount: str | None, currency: str | None) -> tuple[Decimal, str] | None:
    """Read what metadata says, which anybody may write."""
    if amount is None or currency is None or _AMOUNT.fullmatch(amount) is None:
        return None
    return Decimal(amount), currency
