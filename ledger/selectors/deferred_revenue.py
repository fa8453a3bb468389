"""Deferred revenue: what customers have paid for and not received yet, day by day, in base currency."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
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

type _Values = dict[str, int | str | date | list[str]]

# Income whose metadata tells of a contract over months, and that is not taken back: a reversal deletes its row.
_CONTRACTS = """
    SELECT encode(r.event_id, 'hex'), e.source, e.external_ref, r.day, r.customer, r.term_months, e.base_amount
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
               source, external_ref, line, amount, currency, "start", "end"
        FROM ledger_serviceperiod WHERE company_id = %(company)s
        ORDER BY source, external_ref, line, revision DESC
    )
    SELECT encode(e.event_id, 'hex'), e.source, e.external_ref, (e.occurred_at AT TIME ZONE %(timezone)s)::date,
           e.counterparty, said."start", said."end", said.amount, e.amount, e.base_amount
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
# What takes money back names what it takes back in `refund_of`, by the external reference of the income.
_REFUNDS = """
    SELECT e.source, e.metadata ->> 'refund_of', (e.occurred_at AT TIME ZONE %(timezone)s)::date, e.base_amount
    FROM ledger_capitalevent e
    WHERE e.company_id = %(company)s AND e.source = ANY (%(sources)s)
      AND e.event_type IN ('expense', 'adjustment') AND e.direction = 'out' AND e.reverses IS NULL
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
        payments: with something unearned on one of the days, by day of payment.
    """

    days: tuple[date, ...]
    unearned: tuple[Decimal, ...]
    earned: tuple[Decimal, ...]
    payments: tuple[DeferredPayment, ...]


@dataclass(frozen=True, slots=True)
class _Period:
    """A service period of a payment, before refunds. `share` is its part of the payment, 1 for all of it."""

    event_id: str
    source: str
    external_ref: str
    received_on: date
    customer: str
    term: ServiceTerm
    share: Decimal


def deferred_revenue(*, company_id: int, timezone: str, start: date, end: date) -> DeferredRevenue:
    """Return what is received and not earned at the end of every day of [start, end).

    A payment is earned over the service periods that were stated for it, else over its contract's months from the
    day of payment on. A reversed payment counts no more, a refund (`refund_of` in the metadata of an expense or
    adjustment of the same source) takes from what is unearned on its day.

    Reads the daily sums: call `catch_up` first.

    Args:
        timezone: of the company; decides what a day is.
    """
    if end <= start:
        return DeferredRevenue((), (), (), ())
    values: _Values = {"company": company_id, "timezone": timezone, "before": end}
    stated = _stated(values)
    # What somebody says about the very payment goes before what its contract implies.
    said_about = {period.event_id for period in stated}
    implied = [period for period in _contracts(values) if period.event_id not in said_about]
    periods = sorted(
        (period for period in (*stated, *implied) if period.term.end >= start),
        key=lambda period: (period.received_on, period.event_id, period.term.start),
    )
    terms = _with_refunds(periods, _refunds(values, periods))
    owed = unearned_curve(terms, start=start - ONE_DAY, end=end)
    days = tuple(start + timedelta(days=number) for number in range((end - start).days))
    last = end - ONE_DAY
    payments = tuple(
        DeferredPayment(period.event_id, period.customer, term, unearned_at(term, day=last))
        for period, term in zip(periods, terms, strict=True)
    )
    return DeferredRevenue(days, owed[1:], _earned(days, owed, terms), payments)


def _earned(
    days: tuple[date, ...], owed: tuple[Decimal, ...], terms: Iterable[DeferredTerm]
) -> tuple[Decimal, ...]:
    """Money that came and is neither owed nor given back has been earned."""
    moved: dict[date, Decimal] = defaultdict(lambda: ZERO)
    for term in terms:
        moved[term.received_on] += term.term.amount
        for refund in term.refunds:
            moved[refund.day] -= refund.amount
    return tuple(moved[day] - (after - before) for day, before, after in zip(days, owed, owed[1:], strict=False))


def _contracts(values: _Values) -> list[_Period]:
    with connection.cursor() as cursor:
        cursor.execute(_CONTRACTS, values)
        rows = cursor.fetchall()
    return [
        _Period(
            event_id=event_id,
            source=source,
            external_ref=external_ref,
            received_on=day,
            customer=customer,
            term=ServiceTerm(base_amount, day, months_later(day, term_months)),
            share=Decimal(1),
        )
        for event_id, source, external_ref, day, customer, term_months, base_amount in rows
    ]


def _stated(values: _Values) -> list[_Period]:
    with connection.cursor() as cursor:
        cursor.execute(_PERIODS, values)
        rows = cursor.fetchall()
    stated: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for event_id, *_, part, _amount, _base in rows:
        stated[event_id] += part
    periods = []
    for event_id, source, external_ref, day, customer, start, end, part, amount, base_amount in rows:
        # Periods that claim more than was paid share what was paid.
        share = MONEY.divide(part, max(amount, stated[event_id]))
        term = ServiceTerm(MONEY.multiply(base_amount, share).quantize(MICRO, context=MONEY), start, end)
        periods.append(_Period(event_id, source, external_ref, day, customer, term, share))
    return periods


def _refunds(values: _Values, periods: list[_Period]) -> dict[tuple[str, str], list[tuple[date, Decimal]]]:
    """Return {(source, external reference of the payment): [(day, amount)]}."""
    found: dict[tuple[str, str], list[tuple[date, Decimal]]] = defaultdict(list)
    if not periods:
        return found
    more: _Values = {
        "sources": sorted({period.source for period in periods}),
        "first": min(period.received_on for period in periods),
    }
    with connection.cursor() as cursor:
        cursor.execute(_REFUNDS, {**values, **more})
        for source, refund_of, day, amount in cursor.fetchall():
            found[source, refund_of].append((day, amount))
    return found


def _with_refunds(
    periods: list[_Period], refunds: Mapping[tuple[str, str], list[tuple[date, Decimal]]]
) -> list[DeferredTerm]:
    """A refund is shared by the periods of its payment as the payment is."""
    return [
        DeferredTerm(
            term=period.term,
            received_on=period.received_on,
            refunds=tuple(
                Refund(day, MONEY.multiply(amount, period.share).quantize(MICRO, context=MONEY))
                for day, amount in refunds.get((period.source, period.external_ref), ())
            )
            if period.external_ref
            else (),
        )
        for period in periods
    ]
