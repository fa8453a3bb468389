"""Keeping by what invoices are settled: payments, and what customers had paid beforehand."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from ledger.domain.currency import ACTIVE_CURRENCIES, FORMER_CURRENCIES
from ledger.domain.intake import ObjectKey
from ledger.domain.intake import SettledInvoice as StatedInvoice
from ledger.domain.money import LIMIT
from ledger.models.settled_invoice import SettledInvoice
from ledger.services.revisions import state_revision

ZERO = Decimal(0)


class InvalidSettledInvoice(ValueError):
    """A word about an invoice that is refused; the message says why."""


def state_settled_invoice(*, company_id: int, invoice: StatedInvoice, actor: str, now: datetime) -> bool:
    """Keep by what an invoice is settled; false when the same is kept already.

    Another content becomes the one that counts, the earlier one stays readable.

    Raises:
        InvalidSettledInvoice: an amount that is below zero or beyond 14 integer digits, more used than there was,
            more earned than used, no days, an unknown currency, or no document, customer or payment named.
    """
    _check(invoice)
    key = {"company_id": company_id, "source": invoice.source, "document": invoice.document}
    content: dict[str, Any] = {
        "customer": invoice.customer,
        "currency": invoice.currency,
        "at": invoice.at,
        "payment": invoice.payment,
        "paid": invoice.paid,
        "overpaid_by": invoice.overpaid_by,
        "overpaid": invoice.overpaid,
        "before": invoice.before,
        "used": invoice.used,
        "lines": [
            [used.line, str(used.amount), used.start.isoformat(), used.end.isoformat()] for used in invoice.lines
        ],
    }
    return state_revision(SettledInvoice, key=key, content=content, actor=actor, now=now)


def state_before_void(*, company_id: int, invoice: StatedInvoice, actor: str, now: datetime) -> bool:
    """Keep what an invoice had used before it was voided, unless anything is kept of it; false then.

    So the change of the balance, which is told beside, has somebody who explains it in whatever order they come.

    Raises:
        InvalidSettledInvoice: as in `state_settled_invoice`.
    """
    kept = SettledInvoice.objects.filter(
        company_id=company_id, source=invoice.source, document=invoice.document
    ).exists()
    return not kept and state_settled_invoice(company_id=company_id, invoice=invoice, actor=actor, now=now)


def void_settled_invoice(*, company_id: int, document: ObjectKey, actor: str, now: datetime) -> bool:
    """Take back what an invoice said: what it had used is the customer's again. False when it had said nothing."""
    last = (
        SettledInvoice.objects.filter(
            company_id=company_id, source=document.source, document=document.external_ref
        )
        .order_by("-revision")
        .first()
    )
    if last is None:
        return False
    empty = StatedInvoice(last.source, last.document, last.customer, last.currency, last.at)
    return state_settled_invoice(company_id=company_id, invoice=empty, actor=actor, now=now)


def _check(invoice: StatedInvoice) -> None:
    if not all(map(_is_amount, (invoice.paid, invoice.overpaid, invoice.before, invoice.used))):
        raise InvalidSettledInvoice("the amounts of an invoice must be finite and not below zero")
    if invoice.used > invoice.before:
        raise InvalidSettledInvoice("an invoice cannot use more of a customer's balance than there is")
    if not all(_is_amount(used.amount) and used.amount for used in invoice.lines):
        raise InvalidSettledInvoice("what a line uses of a balance must be a finite amount above zero")
    if sum((used.amount for used in invoice.lines), ZERO) > invoice.used:
        raise InvalidSettledInvoice("the lines of an invoice cannot earn more of a balance than it uses")
    if any(used.end <= used.start for used in invoice.lines):
        raise InvalidSettledInvoice("the days of a line must end after they start")
    if invoice.currency not in ACTIVE_CURRENCIES | FORMER_CURRENCIES:
        raise InvalidSettledInvoice(f"{invoice.currency} is not a currency code of ISO 4217")
    if not invoice.source or not invoice.document or not invoice.customer:
        raise InvalidSettledInvoice("an invoice must have an id and name its customer")
    if (invoice.paid and not invoice.payment) or (invoice.overpaid and not invoice.overpaid_by):
        raise InvalidSettledInvoice("what was paid must name its payment")


def _is_amount(amount: Decimal) -> bool:
    return amount.is_finite() and 0 <= amount < LIMIT
