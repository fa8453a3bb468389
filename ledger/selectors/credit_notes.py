"""Credit notes as they were said last, and what of it is told elsewhere too: by refunds, and in balances."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from ledger.domain.customer_balance import share
from ledger.selectors.customer_balances import SettledInvoice
from ledger.selectors.earning_periods import EarningPeriod

ZERO = Decimal(0)

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
class CreditNote:
    """`ledger.models.credit_note.CreditNote` as it was said last."""

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


def credit_notes(values: Mapping[str, Any]) -> list[CreditNote]:
    """Return the notes of a company (`company`) that count before a day (`before`), by day."""
    with connection.cursor() as cursor:
        cursor.execute(_CREDIT_NOTES, values)
        rows = cursor.fetchall()
    return [
        CreditNote(
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


def carried_by_notes(
    notes: Iterable[CreditNote], periods: Iterable[EarningPeriod], invoices: Iterable[SettledInvoice]
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


def lasting_credit(
    periods: Iterable[EarningPeriod], notes: Iterable[CreditNote], invoices: Iterable[SettledInvoice]
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
