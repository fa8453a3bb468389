"""Stripe's invoices and credit notes: no money of their own, but the days over which the payment is earned.

The cash of an invoice is the charge that paid it, recorded from the charge. What a line covers is stated as a
service period of that charge. A credit note lowers what the lines of an invoice earn: before the payment it lowers
what is paid, after it what was paid is given back, as a refund, to the customer's balance, or outside of Stripe.
"""

from collections import defaultdict
from typing import Any

from ledger.domain.intake import CreditedLine, CreditedRefund, CreditNote, ServicePeriod
from ledger.providers.provider import ParseContext, Unreadable
from ledger.providers.stripe_amounts import (
    currency_of,
    day_of,
    id_of,
    in_currency,
    listed,
    minor_units,
    text_of,
)
from ledger.providers.stripe_money import SOURCE


def is_paid(invoice: dict[str, Any]) -> bool:
    """Whether Stripe collected money for it."""
    paid = invoice.get("status") == "paid" or (invoice.get("status") is None and invoice.get("paid") is True)
    return paid and invoice.get("paid_out_of_band") is not True and bool(_whole(invoice, "amount_paid"))


def charge_of(invoice: dict[str, Any]) -> str:
    """Return the id of the charge that paid an invoice, empty when the invoice does not say.

    Newer versions of the API list payments, whose payment intent names the charge only when it is expanded.
    """
    stated = text_of(invoice, "charge")
    if stated:
        return stated
    for payment in listed(invoice, "payments"):
        paid_by = payment.get("payment")
        if not isinstance(paid_by, dict):
            continue
        if text_of(paid_by, "charge"):
            return text_of(paid_by, "charge")
        intent = paid_by.get("payment_intent")
        if isinstance(intent, dict) and text_of(intent, "latest_charge"):
            return text_of(intent, "latest_charge")
    return ""


def service_periods(invoice: dict[str, Any], context: ParseContext) -> tuple[ServicePeriod, ...]:
    """Return a period for every line that covers days.

    What was paid, less tax, is shared among the lines in proportion to their amounts after discounts; credits for
    unused time (lines below zero) and credit balances lower all shares alike, so that the periods never earn more
    than came in. Credit notes from before the payment lower the lines that they name, where they are listed.

    Raises:
        Unreadable: the invoice lists only a part of its lines, or names no charge although lines cover days.
    """
    lines = listed(invoice, "lines")
    nets = _nets(lines, listed(invoice, "credit_notes"))
    shares = _shares(nets, _whole(invoice, "amount_paid") - _tax(invoice))
    currency = currency_of(invoice)
    periods = []
    for line, minor in zip(lines, shares, strict=True):
        period = line.get("period")
        if not minor or not isinstance(period, dict):
            continue
        start, end = (day_of(period, edge, context.timezone) for edge in ("start", "end"))
        if end > start:
            periods.append((id_of(line), minor, start, end))
    lists_all = not isinstance(invoice.get("lines"), dict) or invoice["lines"].get("has_more") is not True
    if not lists_all:
        raise Unreadable(
            "the invoice lists only some of its lines: give the endpoint an api_key to fetch the rest"
        )
    charge = charge_of(invoice)
    if periods and not charge:
        raise Unreadable("the invoice does not name the charge that paid it: give the endpoint an api_key to ask")
    document = id_of(invoice)
    return tuple(
        ServicePeriod(SOURCE, charge, line, in_currency(minor, currency), currency, start, end, document)
        for line, minor, start, end in periods
    )


def _nets(lines: list[dict[str, Any]], notes: list[dict[str, Any]]) -> list[int]:
    """Return what every line is about: its amount after discounts, and after credit notes before the payment."""
    credited: dict[str, int] = defaultdict(int)
    for note in notes:
        if note.get("status") != "void":
            for line, minor in _credited_lines(note, _before_payment(note)):
                credited[line] += minor
    return [max(_net(line) - credited[text_of(line, "id")], 0) for line in lines]


def _shares(nets: list[int], earned: int) -> list[int]:
    """Share `earned` minor units among the lines above zero; each is rounded down, the last takes the rest."""
    total = sum(nets)
    if total <= 0 or earned <= 0:
        return [0] * len(nets)
    shares = [net * earned // total for net in nets]
    last = max(place for place, net in enumerate(nets) if net)
    shares[last] += earned - sum(shares)
    return shares


def _net(line: dict[str, Any]) -> int:
    """What a line of an invoice or a credit note comes to, less discounts and the tax within it."""
    discounts = sum(_whole(discount, "amount") for discount in listed(line, "discount_amounts"))
    return minor_units(line, "amount") - discounts - _inclusive_tax(line)


def _inclusive_tax(line: dict[str, Any]) -> int:
    taxes = [tax for tax in listed(line, "tax_amounts") if tax.get("inclusive") is True]
    taxes = taxes or [tax for tax in listed(line, "taxes") if tax.get("tax_behavior") == "inclusive"]
    return sum(_whole(tax, "amount") for tax in taxes)


def credit_note(note: dict[str, Any], context: ParseContext) -> CreditNote | None:
    """Return what a note credits of what was paid; None for one that only lowered what was to be paid.

    A note that was voided takes back what it said.

    Raises:
        Unreadable: the note lists only a part of its lines.
    """
    currency = currency_of(note)
    said: dict[str, Any] = {
        "source": SOURCE,
        "external_ref": id_of(note),
        "document": text_of(note, "invoice"),
        "currency": currency,
        "day": day_of(note, "effective_at" if _whole(note, "effective_at") else "created", context.timezone),
    }
    if not said["document"]:
        raise Unreadable("the credit note names no invoice")
    if note.get("status") == "void":
        return CreditNote(**said)
    after = _after_payment(note)
    if after <= 0:
        return None
    if isinstance(note.get("lines"), dict) and note["lines"].get("has_more") is True:
        raise Unreadable(
            "the credit note lists only some of its lines: give the endpoint an api_key to fetch the rest"
        )
    refunds = _refunds(note)
    out_of_band = _whole(note, "out_of_band_amount")
    # Stripe states the part that became a credit only by what is left of it.
    to_balance = max(after - sum(minor for _, minor in refunds) - out_of_band, 0) if _has_balance_part(note) else 0
    return CreditNote(
        **said,
        lines=tuple(
            CreditedLine(line, in_currency(minor, currency)) for line, minor in _credited_lines(note, after)
        ),
        refunds=tuple(CreditedRefund(reference, in_currency(minor, currency)) for reference, minor in refunds),
        to_balance=in_currency(to_balance, currency),
        out_of_band=in_currency(out_of_band, currency),
    )


def _before_payment(note: dict[str, Any]) -> int:
    if type(note.get("pre_payment_amount")) is int:
        return _whole(note, "pre_payment_amount")
    return minor_units(note, "total") if note.get("type") == "pre_payment" else 0


def _after_payment(note: dict[str, Any]) -> int:
    if type(note.get("post_payment_amount")) is int:
        return _whole(note, "post_payment_amount")
    return minor_units(note, "total") if note.get("type") == "post_payment" else 0


def _credited_lines(note: dict[str, Any], part: int) -> list[tuple[str, int]]:
    """Return (line of the invoice or "", minor units before tax) of the part of a note that is meant.

    Args:
        part: of the note's total, tax included.
    """
    lines = listed(note, "lines")
    total = minor_units(note, "total")
    nets = [max(_net(line), 0) for line in lines]
    whole = sum(nets)
    if part <= 0 or total <= 0 or not whole:
        return []
    shares = _shares(nets, whole * min(part, total) // total)
    return [
        (text_of(line, "invoice_line_item"), minor) for line, minor in zip(lines, shares, strict=True) if minor
    ]


def _refunds(note: dict[str, Any]) -> list[tuple[str, int]]:
    """Return (refund, minor units) of the refunds that carry a note out."""
    found = [
        (text_of(refund, "refund"), _whole(refund, "amount_refunded"))
        for refund in listed(note, "refunds")
        if text_of(refund, "refund")
    ]
    if not found and text_of(note, "refund"):
        # Older versions of the API name one, without saying how much of the note it carries out.
        expanded = note.get("refund")
        if isinstance(expanded, dict):
            minor = _whole(expanded, "amount")
        elif not _has_balance_part(note):
            minor = _after_payment(note) - _whole(note, "out_of_band_amount")
        else:
            raise Unreadable(
                "the credit note does not say how much of it was refunded: give the endpoint an api_key to ask"
            )
        found = [(text_of(note, "refund"), minor)]
    return [(reference, minor) for reference, minor in found if minor > 0]


def _has_balance_part(note: dict[str, Any]) -> bool:
    return bool(text_of(note, "customer_balance_transaction"))


def _tax(invoice: dict[str, Any]) -> int:
    stated = invoice.get("tax")
    if type(stated) is int:
        return stated
    taxes = listed(invoice, "total_taxes") or listed(invoice, "total_tax_amounts")
    return sum(_whole(tax, "amount") for tax in taxes)


def _whole(thing: dict[str, Any], field: str) -> int:
    value = thing.get(field)
    return value if type(value) is int else 0
