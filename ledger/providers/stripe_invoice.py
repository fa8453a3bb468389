"""Stripe's invoices: no money of their own, but the days over which the payment is earned.

The cash of an invoice is the charge that paid it, recorded from the charge. What a line covers is stated as a
service period of that charge.
"""

from typing import Any

from ledger.domain.intake import ServicePeriod
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
    than came in.

    Raises:
        Unreadable: the invoice lists only a part of its lines, or names no charge although lines cover days.
    """
    lines = listed(invoice, "lines")
    shares = _shares(lines, _whole(invoice, "amount_paid") - _tax(invoice))
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
    return tuple(
        ServicePeriod(SOURCE, charge, line, in_currency(minor, currency), currency, start, end)
        for line, minor, start, end in periods
    )


def _shares(lines: list[dict[str, Any]], earned: int) -> list[int]:
    """Share `earned` minor units among the lines above zero; each is rounded down, the last takes the rest."""
    nets = [max(_net(line), 0) for line in lines]
    total = sum(nets)
    if total <= 0 or earned <= 0:
        return [0] * len(lines)
    shares = [net * earned // total for net in nets]
    last = max(place for place, net in enumerate(nets) if net)
    shares[last] += earned - sum(shares)
    return shares


def _net(line: dict[str, Any]) -> int:
    discounts = sum(_whole(discount, "amount") for discount in listed(line, "discount_amounts"))
    return minor_units(line, "amount") - discounts


def _tax(invoice: dict[str, Any]) -> int:
    stated = invoice.get("tax")
    if type(stated) is int:
        return stated
    taxes = listed(invoice, "total_taxes") or listed(invoice, "total_tax_amounts")
    return sum(_whole(tax, "amount") for tax in taxes)


def _whole(thing: dict[str, Any], field: str) -> int:
    value = thing.get(field)
    return value if type(value) is int else 0
