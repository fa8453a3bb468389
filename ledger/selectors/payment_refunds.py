"""Payments of customers, and what refunds and disputes have taken back of them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

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
      AND e.metadata ? 'refund_of' AND e.metadata ->> 'refund_of' = ANY (%(references)s)
      AND EXISTS (
          SELECT FROM ledger_externalobject o
          WHERE o.company_id = e.company_id AND o.account_id = e.account_id AND o.source = e.source
            AND o.event_type = e.event_type AND o.direction = e.direction AND o.external_ref = e.external_ref
            AND o.twin = CASE e.external_ref WHEN '' THEN e.event_id ELSE ''::bytea END
            AND o.event_id = e.event_id AND NOT o.reversed
      )
    ORDER BY e.occurred_at, e.source, e.external_ref
"""
_AMOUNT = re.compile(r"[0-9]{1,14}(?:\.[0-9]{1,6})?")


@dataclass(frozen=True, slots=True)
class Payment:
    """Income that somebody speaks about.

    Attributes:
        event_id: of it in the journal.
        received_on: of the company's calendar.
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
class PaymentRefund:
    """Attributes:
    refund_of: external reference of the payment.
    direction: `in` where what was taken is given again.
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

    def part_of(self, payment: Payment, *, less: Decimal) -> tuple[Decimal, Decimal] | None:
        """Return which part of a payment is taken back, as (part, whole); None for nothing.

        The part is below zero for what is given again.

        Args:
            less: what credit notes say about this refund already, in its own currency.
        """
        rest = self.amount - less
        if rest <= 0:
            return None
        sign = 1 if self.direction == "out" else -1
        if self.currency == payment.currency:
            return sign * rest, payment.amount
        if self.stated is not None and self.stated[1] == payment.currency:
            return sign * self.stated[0], payment.amount
        return sign * self.base_amount, payment.base_amount


def payment_refunds(
    *, company_id: int, timezone: str, payments: Iterable[Payment], first: date, before: date
) -> list[PaymentRefund]:
    """Return what was taken back of payments on [first, before), by time.

    Two sources may use the same reference: a refund is of the payment whose source it has.
    """
    named = {(payment.source, payment.external_ref) for payment in payments if payment.external_ref}
    if not named:
        return []
    values: dict[str, Any] = {
        "company": company_id,
        "timezone": timezone,
        "sources": sorted({source for source, _ in named}),
        "references": sorted({reference for _, reference in named}),
        "first": first,
        "before": before,
    }
    with connection.cursor() as cursor:
        cursor.execute(_REFUNDS, values)
        rows = cursor.fetchall()
    return [
        PaymentRefund(source, reference, of, day, direction, amount, currency, base, _stated_amount(*stated))
        for source, reference, of, day, direction, amount, currency, base, *stated in rows
    ]


def _stated_amount(amount: str | None, currency: str | None) -> tuple[Decimal, str] | None:
    """Read what metadata says, which anybody may write."""
    if amount is None or currency is None or _AMOUNT.fullmatch(amount) is None:
        return None
    return Decimal(amount), currency
