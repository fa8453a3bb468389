"""Stripe's invoices: no money of their own, but the days over which the payment is earned.

The cash of an invoice is the charge that paid it, recorded from the charge. What a line covers is stated as a
service period of that charge. A credit note lowers what the lines of an invoice earn (`stripe_credit_note`).

A customer's balance is used when an invoice is finalised, as far as it goes. Stripe tells of it by the balance
before and after, where a credit of the customer is below zero and a debt above.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from ledger.domain.intake import (
    CreditedLine,
    CreditNote,
    ServicePeriod,
    SettledInvoice,
    UsedLine,
)
from ledger.providers.provider import ParseContext, Unreadable
from ledger.providers.stripe_amounts import (
    currency_of,
    day_of,
    id_of,
    in_currency,
    instant_of,
    listed,
    text_of,
)
from ledger.providers.stripe_credit_note import before_payment, credited_lines
from ledger.providers.stripe_lines import net_of_line, shares, whole
from ledger.providers.stripe_movements import SOURCE

# Where newer versions of the API say what a line is for.
_PARENTS = ("subscription_item_details", "invoice_item_details")


def is_paid(invoice: dict[str, Any]) -> bool:
    """Whether Stripe collected money for it."""
    paid = invoice.get("status") == "paid" or (invoice.get("status") is None and invoice.get("paid") is True)
    return paid and invoice.get("paid_out_of_band") is not True and bool(whole(invoice, "amount_paid"))


def charge_of(invoice: dict[str, Any]) -> str:
    """Return the id of the charge that paid an invoice, empty when the invoice does not say.

    Newer versions of the API list payments, whose payment intent names the charge only when it is expanded.
    """
    charges = _charges(invoice)
    return charges[0] if charges else ""


def _charges(invoice: dict[str, Any]) -> list[str]:
    """Return the ids of the charges that paid an invoice, the oldest first."""
    stated = text_of(invoice, "charge")
    if stated:
        return [stated]
    payments = sorted(listed(invoice, "payments"), key=lambda payment: whole(payment, "created"))
    return [charge for payment in payments if (charge := _charge_of_payment(payment.get("payment")))]


def _charge_of_payment(paid_by: Any) -> str:
    if not isinstance(paid_by, dict):
        return ""
    if text_of(paid_by, "charge"):
        return text_of(paid_by, "charge")
    intent = paid_by.get("payment_intent")
    return text_of(intent, "latest_charge") if isinstance(intent, dict) else ""


def service_periods(invoice: dict[str, Any], context: ParseContext) -> tuple[ServicePeriod, ...]:
    """Return a period of the charge for every line that covers days.

    What was paid, less tax, is shared among the lines in proportion to their amounts after discounts; credits for
    unused time (lines below zero) and credit balances lower all shares alike, so that the periods never earn more
    than came in. Credit notes from before the payment lower the lines that they name, where they are listed. What
    was paid of an older debt, or beyond what was asked for, is none of the lines'.

    Raises:
        Unreadable: the invoice lists only a part of its lines, or names no charge although lines cover days.
    """
    if not is_paid(invoice):
        return ()
    earned = min(whole(invoice, "amount_paid"), _asked(invoice)) - _debt_collected(invoice) - _tax(invoice)
    periods = list(_earning(invoice, earned, context))
    charge = charge_of(invoice)
    if periods and not charge:
        raise Unreadable("the invoice does not name the charge that paid it: give the endpoint an api_key to ask")
    document, currency = id_of(invoice), currency_of(invoice)
    return tuple(
        ServicePeriod(SOURCE, charge, line, in_currency(minor, currency), currency, start, end, document)
        for line, minor, start, end in periods
    )


def settled(invoice: dict[str, Any], context: ParseContext) -> SettledInvoice | None:
    """Return by what an invoice is settled; None when neither a payment nor the customer's balance is named.

    Of what is used of a balance, the payment covers the tax first: the rest is shared among the lines.

    Raises:
        Unreadable: the invoice lists only a part of its lines.
    """
    customer = text_of(invoice, "customer") or text_of(invoice, "customer_account")
    if invoice.get("status") in ("draft", "void", "deleted") or not customer:
        return None
    currency = currency_of(invoice)
    charges = _charges(invoice) if is_paid(invoice) else []
    overpaid = whole(invoice, "amount_overpaid") if charges else 0
    used = max(-_put_to_balance(invoice), 0)
    if not charges and not used:
        return None
    asked = _asked(invoice)
    tax_left = max(_tax(invoice) - max(asked - _debt_collected(invoice), 0), 0)
    paid = min(whole(invoice, "amount_paid"), asked) if charges else 0
    return SettledInvoice(
        source=SOURCE,
        document=id_of(invoice),
        customer=customer,
        currency=currency,
        at=_finalised_at(invoice),
        payment=charges[0] if paid else "",
        paid=in_currency(paid, currency),
        overpaid_by=charges[-1] if overpaid else "",
        overpaid=in_currency(overpaid, currency),
        before=in_currency(_credit(invoice, "starting_balance"), currency),
        used=in_currency(used, currency),
        lines=tuple(
            UsedLine(line, in_currency(minor, currency), start, end)
            for line, minor, start, end in _earning(invoice, used - tax_left, context)
        ),
    )


def used_before_void(invoice: dict[str, Any]) -> tuple[SettledInvoice, ...]:
    """Return what a voided invoice had used of the customer's balance, if anything: it is the customer's again."""
    customer = text_of(invoice, "customer") or text_of(invoice, "customer_account")
    used = max(-_put_to_balance(invoice), 0)
    if not customer or not used:
        return ()
    currency = currency_of(invoice)
    before = in_currency(_credit(invoice, "starting_balance"), currency)
    return (
        SettledInvoice(
            source=SOURCE,
            document=id_of(invoice),
            customer=customer,
            currency=currency,
            at=_finalised_at(invoice),
            before=before,
            used=in_currency(used, currency),
        ),
    )


def unused_time(invoice: dict[str, Any], context: ParseContext) -> tuple[CreditNote, ...]:
    """Return what an invoice below zero puts to the customer's balance: time that was paid and is not used.

    As credit notes on the invoices that sold the time: a downgrade credits more than it asks for. Lines that do
    not name an invoice are left out.

    Raises:
        Unreadable: the invoice lists only a part of its lines.
    """
    total = whole(invoice, "total")
    given = max(_put_to_balance(invoice), 0)
    if total >= 0 or not given or invoice.get("status") in ("draft", "void", "deleted"):
        return ()
    _require_all_lines(invoice)
    currency = currency_of(invoice)
    credited = [(-net_of_line(line), *_sold_by(line)) for line in listed(invoice, "lines")]
    amounts = [max(minor, 0) for minor, _, _ in credited]
    before_tax = shares(amounts, given * (total - _tax(invoice)) // total)
    to_balance = shares(amounts, given)
    notes: dict[str, list[tuple[CreditedLine, int]]] = defaultdict(list)
    for (_, document, line), minor, put in zip(credited, before_tax, to_balance, strict=True):
        if document and minor:
            notes[document].append((CreditedLine(line, in_currency(minor, currency)), put))
    day = _finalised_at(invoice).astimezone(context.timezone).date()
    return tuple(
        CreditNote(
            source=SOURCE,
            external_ref=f"{id_of(invoice)}:{document}"[:255],
            document=document,
            currency=currency,
            day=day,
            lines=tuple(line for line, _ in lines),
            to_balance=in_currency(sum(put for _, put in lines), currency),
            issued_on=day,
        )
        for document, lines in notes.items()
    )


def _sold_by(line: dict[str, Any]) -> tuple[str, str]:
    """Return the invoice and its line whose unused time a line credits; no line where there are several."""
    parent = line.get("parent")
    details = [parent.get(name) for name in _PARENTS] if isinstance(parent, dict) else []
    for holder in (line, *details):
        proration = holder.get("proration_details") if isinstance(holder, dict) else None
        items = proration.get("credited_items") if isinstance(proration, dict) else None
        if isinstance(items, dict) and text_of(items, "invoice"):
            lines = items.get("invoice_line_items")
            only = lines[0] if isinstance(lines, list) and len(lines) == 1 else ""
            return text_of(items, "invoice"), only if isinstance(only, str) else ""
    return "", ""


def _earning(invoice: dict[str, Any], earned: int, context: ParseContext) -> Iterator[tuple[str, int, date, date]]:
    """Share `earned` minor units among the lines; yield line, share, first day and the day after the last.

    What is shared to lines that cover no days is left out.
    """
    _require_all_lines(invoice)
    lines = listed(invoice, "lines")
    for line, minor in zip(lines, shares(_nets(lines, listed(invoice, "credit_notes")), earned), strict=True):
        period = line.get("period")
        if not minor or not isinstance(period, dict):
            continue
        start, end = (day_of(period, edge, context.timezone) for edge in ("start", "end"))
        if end > start:
            yield id_of(line), minor, start, end


def _require_all_lines(invoice: dict[str, Any]) -> None:
    lines = invoice.get("lines")
    if isinstance(lines, dict) and lines.get("has_more") is True:
        raise Unreadable(
            "the invoice lists only some of its lines: give the endpoint an api_key to fetch the rest"
        )


def _credit(invoice: dict[str, Any], balance: str) -> int:
    """Return what the customer has in credit by a balance."""
    return max(-whole(invoice, balance), 0)


def _put_to_balance(invoice: dict[str, Any]) -> int:
    """Return what the customer has more in credit by an invoice; below zero what it used.

    The balance afterwards is stated once the invoice is finalised.
    """
    if type(invoice.get("ending_balance")) is not int:
        return 0
    return _credit(invoice, "ending_balance") - _credit(invoice, "starting_balance")


def _debt_collected(invoice: dict[str, Any]) -> int:
    """Return what an invoice collects of an older debt, such as of an invoice too small to be charged."""
    return max(max(whole(invoice, "starting_balance"), 0) - max(whole(invoice, "ending_balance"), 0), 0)


def _asked(invoice: dict[str, Any]) -> int:
    """Return what was to be paid: what comes in beyond goes to the customer's balance."""
    stated = invoice.get("amount_due")
    return stated if type(stated) is int else whole(invoice, "amount_paid")


def _finalised_at(invoice: dict[str, Any]) -> datetime:
    steps = invoice.get("status_transitions")
    if isinstance(steps, dict) and type(steps.get("finalized_at")) is int:
        return instant_of(steps, "finalized_at")
    return instant_of(invoice, "finalized_at", "effective_at", "created")


def _nets(lines: list[dict[str, Any]], notes: list[dict[str, Any]]) -> list[int]:
    """Return what every line is about: its amount after discounts, and after credit notes before the payment."""
    credited: dict[str, int] = defaultdict(int)
    for note in notes:
        if note.get("status") != "void":
            for line, minor in credited_lines(note, before_payment(note)):
                credited[line] += minor
    return [max(net_of_line(line) - credited[text_of(line, "id")], 0) for line in lines]


def _tax(invoice: dict[str, Any]) -> int:
    stated = invoice.get("tax")
    if type(stated) is int:
        return stated
    taxes = listed(invoice, "total_taxes") or listed(invoice, "total_tax_amounts")
    return sum(whole(tax, "amount") for tax in taxes)
