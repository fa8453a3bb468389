"""Stripe's credit notes: what they lower before an invoice is paid, and give back of it afterwards.

After the payment it is given back as a refund, to the customer's balance, or outside of Stripe.
"""

from typing import Any

from ledger.domain.intake import CreditedLine, CreditedRefund, CreditNote
from ledger.providers.provider import ParseContext, Unreadable
from ledger.providers.stripe_amounts import currency_of, day_of, id_of, in_currency, listed, minor_units, text_of
from ledger.providers.stripe_lines import net_of_line, shares, whole
from ledger.providers.stripe_movements import SOURCE


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
        "day": day_of(note, "effective_at" if whole(note, "effective_at") else "created", context.timezone),
        "issued_on": day_of(note, "created", context.timezone),
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
    out_of_band = whole(note, "out_of_band_amount")
    # Stripe states the part that became a credit only by what is left of it.
    to_balance = max(after - sum(minor for _, minor in refunds) - out_of_band, 0) if _has_balance_part(note) else 0
    return CreditNote(
        **said,
        lines=tuple(
            CreditedLine(line, in_currency(minor, currency)) for line, minor in credited_lines(note, after)
        ),
        refunds=tuple(CreditedRefund(reference, in_currency(minor, currency)) for reference, minor in refunds),
        to_balance=in_currency(to_balance, currency),
        out_of_band=in_currency(out_of_band, currency),
    )


def before_payment(note: dict[str, Any]) -> int:
    if type(note.get("pre_payment_amount")) is int:
        return whole(note, "pre_payment_amount")
    return minor_units(note, "total") if note.get("type") == "pre_payment" else 0


def _after_payment(note: dict[str, Any]) -> int:
    if type(note.get("post_payment_amount")) is int:
        return whole(note, "post_payment_amount")
    return minor_units(note, "total") if note.get("type") == "post_payment" else 0


def credited_lines(note: dict[str, Any], part: int) -> list[tuple[str, int]]:
    """Return (line of the invoice or "", minor units before tax) of the part of a note that is meant.

    Args:
        part: of the note's total, tax included.
    """
    lines = listed(note, "lines")
    total = minor_units(note, "total")
    nets = [max(net_of_line(line), 0) for line in lines]
    credited = sum(nets)
    if part <= 0 or total <= 0 or not credited:
        return []
    parts = shares(nets, credited * min(part, total) // total)
    return [(text_of(line, "invoice_line_item"), minor) for line, minor in zip(lines, parts, strict=True) if minor]


def _refunds(note: dict[str, Any]) -> list[tuple[str, int]]:
    """Return (refund, minor units) of the refunds that carry a note out."""
    found = [
        (text_of(refund, "refund"), whole(refund, "amount_refunded"))
        for refund in listed(note, "refunds")
        if text_of(refund, "refund")
    ]
    if not found and text_of(note, "refund"):
        # Older versions of the API name one, without saying how much of the note it carries out.
        expanded = note.get("refund")
        if isinstance(expanded, dict):
            minor = whole(expanded, "amount")
        elif not _has_balance_part(note):
            minor = _after_payment(note) - whole(note, "out_of_band_amount")
        else:
            raise Unreadable(
                "the credit note does not say how much of it was refunded: give the endpoint an api_key to ask"
            )
        found = [(text_of(note, "refund"), minor)]
    return [(reference, minor) for reference, minor in found if minor > 0]


def _has_balance_part(note: dict[str, Any]) -> bool:
    return bool(text_of(note, "customer_balance_transaction"))
