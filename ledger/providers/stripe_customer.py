"""A customer of Stripe: the only thing that happens to money there is a change of the balance.

Invoices and credit notes say what they use of it and put to it. What staff change by hand is told by nothing but
the customer itself.
"""

from typing import Any

from ledger.domain.intake import LoweredBalance
from ledger.providers.stripe_amounts import currency_of, id_of, in_currency, instant_of, text_of
from ledger.providers.stripe_movements import SOURCE


def lowered_balance(event: dict[str, Any]) -> LoweredBalance | None:
    """Return by what a `customer.updated` lowers what the customer has in credit; None when it does not.

    Stripe counts a credit below zero. What is added says nothing: what came in with a payment its invoice or note
    tells, and nobody paid for the rest.
    """
    customer = event["data"]["object"]
    previous = event["data"].get("previous_attributes")
    before, after = (_credit(holder.get("balance")) for holder in (previous or {}, customer))
    if before is None or after is None or after >= before or not text_of(customer, "currency"):
        return None
    currency = currency_of(customer)
    return LoweredBalance(
        source=SOURCE,
        customer=id_of(customer),
        currency=currency,
        at=instant_of(event, "created"),
        before=in_currency(before, currency),
        after=in_currency(after, currency),
    )


def _credit(balance: object) -> int | None:
    return max(-balance, 0) if type(balance) is int else None
