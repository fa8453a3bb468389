"""What customers have in credit day by day, and what invoices use of it: read from statements and the journal."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from ledger.domain.customer_balance import Funds, Purse, share
from ledger.domain.intake import UsedLine
from ledger.selectors.payment_refunds import Payment, PaymentRefund

ZERO = Decimal(0)

# Invoices as they were said last, of those that have to do with a balance.
_SETTLED = """
    SELECT source, document, customer, currency, at, (at AT TIME ZONE %(timezone)s)::date,
           payment, paid, overpaid_by, overpaid, before, used, lines
    FROM (
        SELECT DISTINCT ON (source, document) *
        FROM ledger_settledinvoice WHERE company_id = %(company)s
        ORDER BY source, document, revision DESC
    ) said
    WHERE at < %(before)s::timestamp AT TIME ZONE %(timezone)s
      AND (used > 0 OR overpaid > 0 OR EXISTS (
          SELECT FROM ledger_creditnote n
          WHERE n.company_id = %(company)s AND n.source = said.source AND n.document = said.document
            AND n.to_balance > 0
      ))
    ORDER BY at, source, document
"""
# Income that stands, by source and external reference.
_PAYMENTS = """
    SELECT encode(e.event_id, 'hex'), e.source, e.external_ref, (e.occurred_at AT TIME ZONE %(timezone)s)::date,
           e.counterparty, e.amount, e.currency, e.base_amount
    FROM unnest(%(sources)s::text[], %(references)s::text[]) AS w (source, external_ref)
    JOIN ledger_account a ON a.company_id = %(company)s AND a.kind IN ('bank', 'card', 'processor')
    JOIN ledger_externalobject o
      ON o.company_id = a.company_id AND o.account_id = a.id AND o.source = w.source
     AND o.event_type = 'income' AND o.direction = 'in' AND o.external_ref = w.external_ref AND o.twin = ''
     AND NOT o.reversed
    JOIN ledger_capitalevent e
      ON e.company_id = o.company_id AND e.event_id = o.event_id AND e.occurred_at = o.occurred_at
    WHERE e.occurred_at < %(before)s::timestamp AT TIME ZONE %(timezone)s
    ORDER BY e.occurred_at, e.event_id
"""
# Balances that became less by nothing that an invoice ever said of itself, be it void now: by hand. An invoice and
# the change of the balance that it makes are dated by two clocks.
_LOWERED = """
    SELECT source, customer, currency, at, (at AT TIME ZONE %(timezone)s)::date, before, after
    FROM ledger_loweredbalance b
    WHERE company_id = %(company)s AND at < %(before)s::timestamp AT TIME ZONE %(timezone)s
      AND NOT EXISTS (
          SELECT FROM ledger_settledinvoice i
          WHERE i.company_id = b.company_id AND i.source = b.source AND i.customer = b.customer
            AND i.currency = b.currency AND i.before = b.before AND i.before - i.used = b.after
            AND i.at BETWEEN b.at - interval '10 minutes' AND b.at + interval '10 minutes'
      )
    ORDER BY at, source, customer, before DESC
"""

type Document = tuple[str, str]


@dataclass(frozen=True, slots=True)
class SettledInvoice:
    """`ledger.domain.intake.SettledInvoice` as it was said last, with the payments that stand.

    Attributes:
        day: of the company's calendar, on which it was finalised.
        payment, overpaid_by: None while no such income in the invoice's currency stands.
    """

    source: str
    document: str
    customer: str
    currency: str
    at: datetime
    day: date
    payment: Payment | None
    paid: Decimal
    overpaid_by: Payment | None
    overpaid: Decimal
    before: Decimal
    used: Decimal
    lines: tuple[UsedLine, ...]

    @property
    def key(self) -> Document:
        return self.source, self.document

    @property
    def owner(self) -> tuple[str, str, str]:
        """Whose balance."""
        return self.source, self.customer, self.currency


@dataclass(frozen=True, slots=True)
class PutToBalance:
    """What a credit note puts to the balance of the customer whose invoice it is about.

    Attributes:
        day: from which it is owed.
        issued_on: on which the balance got it: a note may be dated back, and an invoice before did not find it.
    """

    source: str
    document: str
    day: date
    issued_on: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class CustomerBalances:
    """Attributes:
    used: the funds that each invoice used, by document; what nobody paid is left out.
    payments: that the funds came in with, by event id.
    moves: (day, what customers have in credit more), in base currency.
    """

    used: Mapping[Document, tuple[Funds, ...]]
    payments: Mapping[str, Payment]
    moves: Sequence[tuple[date, Decimal]]


def settled_invoices(*, company_id: int, timezone: str, before: date) -> list[SettledInvoice]:
    """Return what was said about invoices that use or fill a balance, finalised before a day, by time."""
    values: dict[str, Any] = {"company": company_id, "timezone": timezone, "before": before}
    with connection.cursor() as cursor:
        cursor.execute(_SETTLED, values)
        rows = cursor.fetchall()
        if not rows:
            return []
        named = sorted({(row[0], name) for row in rows for name in (row[6], row[8]) if name})
        cursor.execute(
            _PAYMENTS,
            {**values, "sources": [source for source, _ in named], "references": [name for _, name in named]},
        )
        payments: dict[tuple[str, str, str], Payment] = {}
        for each in cursor.fetchall():
            payment = Payment(*each)
            payments.setdefault((payment.source, payment.external_ref, payment.currency), payment)
    return [
        SettledInvoice(
            source=source,
            document=document,
            customer=customer,
            currency=currency,
            at=at,
            day=day,
            payment=payments.get((source, paid_by, currency)),
            paid=paid,
            overpaid_by=payments.get((source, overpaid_by, currency)),
            overpaid=overpaid,
            before=credit,
            used=used,
            lines=tuple(
                UsedLine(line, Decimal(amount), date.fromisoformat(start), date.fromisoformat(end))
                for line, amount, start, end in json.loads(lines)
            ),
        )
        for (
            source,
            document,
            customer,
            currency,
            at,
            day,
            paid_by,
            paid,
            overpaid_by,
            overpaid,
            credit,
            used,
            lines,
        ) in rows
    ]


@dataclass(frozen=True, slots=True)
class LoweredByHand:
    """A balance that became less, and no invoice says that it used it.

    Attributes:
        day: of the company's calendar.
        before, after: what the customer had in credit, as the provider counts it.
    """

    source: str
    customer: str
    currency: str
    at: datetime
    day: date
    before: Decimal
    after: Decimal

    @property
    def owner(self) -> tuple[str, str, str]:
        return self.source, self.customer, self.currency


def lowered_by_hand(*, company_id: int, timezone: str, before: date) -> list[LoweredByHand]:
    """Return the balances that somebody lowered before a day, by time."""
    with connection.cursor() as cursor:
        cursor.execute(_LOWERED, {"company": company_id, "timezone": timezone, "before": before})
        return [LoweredByHand(*row) for row in cursor.fetchall()]


def customer_balances(
    *,
    invoices: Sequence[SettledInvoice],
    lowered: Iterable[LoweredByHand] = (),
    puts: Iterable[PutToBalance],
    refunds: Iterable[PaymentRefund],
    carried: Mapping[tuple[str, str], Decimal],
    earned_otherwise: Mapping[str, Decimal],
) -> CustomerBalances:
    """Follow customers' balances through time.

    On one day what is put there comes first, then invoices use it in the order of their instants, then it is taken
    back. Where the provider counted less before an invoice than is known here, the rest had been taken away; so it
    was where the balance became less and no invoice says that it used it.

    Args:
        puts: on these invoices.
        carried: of refunds (source, reference), what credit notes say about them already.
        earned_otherwise: of payments by event id, what is earned over periods of their own, in base currency:
            only the rest of one can be in a balance.
    """
    walk = _Walk({invoice.key: invoice for invoice in invoices}, carried)
    for invoice in invoices:
        walk.settle(invoice, earned_otherwise)
    for less in lowered:
        walk.lower(less)
    for put in puts:
        walk.credit(put)
    for refund in refunds:
        walk.refund(refund)
    return walk.run()


# Day, what comes first on it, instant, and what follows what of that instant.
type _When = tuple[date, int, datetime, int]
type _Step = SettledInvoice | LoweredByHand | PutToBalance | PaymentRefund | tuple[Purse, Funds]
_PUT, _USE, _REFUND = 0, 1, 2
_ANY_TIME = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class _Walk:
    """Attributes:
    steps: what happens, to be sorted by time.
    balances: by source, customer and currency.
    settling: what each invoice was settled with.
    payments: by source and external reference, by event id.
    brought_on: the last day on which one of them was brought.
    holders: where parts of a payment lie or have lain, by its event id.
    """

    invoices: Mapping[Document, SettledInvoice]
    carried: Mapping[tuple[str, str], Decimal]
    steps: list[tuple[_When, _Step]] = field(default_factory=list)
    balances: dict[tuple[str, str, str], Purse] = field(default_factory=lambda: defaultdict(Purse))
    settling: dict[Document, Purse] = field(default_factory=lambda: defaultdict(Purse))
    payments: dict[tuple[str, str], dict[str, Payment]] = field(default_factory=lambda: defaultdict(dict))
    brought_on: dict[tuple[str, str], date] = field(default_factory=dict)
    holders: dict[str, list[Purse]] = field(default_factory=lambda: defaultdict(list))
    used: dict[Document, tuple[Funds, ...]] = field(default_factory=dict)

    def balance_of(self, invoice: SettledInvoice) -> Purse:
        return self.balances[invoice.owner]

    def settle(self, invoice: SettledInvoice, earned_otherwise: Mapping[str, Decimal]) -> None:
        if invoice.payment is not None and invoice.paid:
            worth = _worth(invoice.payment, invoice.paid)
            self._bring(self.settling[invoice.key], invoice.payment, invoice.paid, worth, invoice)
        if invoice.used:
            self.steps.append(((invoice.day, _USE, invoice.at, 0), invoice))
        if invoice.overpaid_by is not None and invoice.overpaid:
            payment = invoice.overpaid_by
            room = max(payment.base_amount - earned_otherwise.get(payment.event_id, ZERO), ZERO)
            worth = min(_worth(payment, invoice.overpaid), room)
            self._bring(self.balance_of(invoice), payment, invoice.overpaid, worth, invoice)

    def _bring(
        self, purse: Purse, payment: Payment, amount: Decimal, worth: Decimal, invoice: SettledInvoice
    ) -> None:
        key = payment.source, payment.external_ref
        self.payments[key][payment.event_id] = payment
        since = max(invoice.day, payment.received_on)
        self.brought_on[key] = max(self.brought_on.get(key, since), since)
        funds = Funds(payment.event_id, amount, worth, worth, since)
        self.steps.append((_after(invoice, since), (purse, funds)))

    def lower(self, less: LoweredByHand) -> None:
        self.steps.append(((less.day, _USE, less.at, 2), less))

    def credit(self, put: PutToBalance) -> None:
        invoice = self.invoices[put.source, put.document]
        paid_on = invoice.payment.received_on if invoice.payment is not None else put.issued_on
        self.steps.append((_after(invoice, max(put.issued_on, paid_on)), put))

    def refund(self, refund: PaymentRefund) -> None:
        payments = self.payments.get((refund.source, refund.refund_of))
        if payments:
            # What is taken back before it came counts on the day it came.
            day = max(refund.day, self.brought_on[refund.source, refund.refund_of])
            self.steps.append(((day, _REFUND, _ANY_TIME, 0), refund))

    def _put(self, purse: Purse, funds: Iterable[Funds], *, owed_from: date) -> None:
        for each in funds:
            purse.put(each, owed_from=owed_from)
            if all(holder is not purse for holder in self.holders[each.payment]):
                self.holders[each.payment].append(purse)

    def run(self) -> CustomerBalances:
        for (day, *_), step in sorted(self.steps, key=lambda found: found[0]):
            match step:
                case SettledInvoice():
                    balance = self.balance_of(step)
                    balance.shrink_to(step.before, day=day)
                    taken = balance.take(step.used, day=day)
                    self._put(self.settling[step.key], taken, owed_from=day)
                    self.used[step.key] = tuple(funds for funds in taken if funds.brought)
                case LoweredByHand():
                    if step.owner in self.balances:
                        self.balances[step.owner].lower(step.before, step.after, day=day)
                case PutToBalance():
                    credited = self.settling[step.source, step.document].take_evenly(step.amount, day=day)
                    balance = self.balance_of(self.invoices[step.source, step.document])
                    self._put(balance, credited, owed_from=min(step.day, day))
                case PaymentRefund():
                    self._take_back(step, day)
                case (purse, funds):
                    self._put(purse, [funds], owed_from=day)
        moves = [move for balance in self.balances.values() for move in balance.moves]
        payments = {event_id: payment for known in self.payments.values() for event_id, payment in known.items()}
        return CustomerBalances(self.used, payments, moves)

    def _take_back(self, refund: PaymentRefund, day: date) -> None:
        less = self.carried.get((refund.source, refund.external_ref), ZERO)
        for payment in self.payments[refund.source, refund.refund_of].values():
            part = refund.part_of(payment, less=less)
            if part is not None:
                for purse in self.holders[payment.event_id]:
                    purse.take_back(payment.event_id, *part, day=day)


def _after(invoice: SettledInvoice, day: date) -> _When:
    """When something is put that an invoice brings: behind what the invoice itself used on that day."""
    return (day, _USE, invoice.at, 1) if invoice.used and day <= invoice.day else (day, _PUT, _ANY_TIME, 1)


def _worth(payment: Payment, amount: Decimal) -> Decimal:
    return share(payment.base_amount, min(amount, payment.amount), payment.amount)
