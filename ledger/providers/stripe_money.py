"""Stripe's objects that move money, as events on the processor account.

What a customer pays is recorded in the customer's currency. When Stripe changes it into another, two transfers on
the same account say so: out of the one currency, into the other, both worth what Stripe settled. So the account
holds in each currency what Stripe holds, and the books have Stripe's rate instead of a published one.
"""

from typing import Any

from ledger.domain.intake import ObjectKey
from ledger.providers.provider import ParseContext
from ledger.providers.stripe_amounts import (
    currency_of,
    id_of,
    in_currency,
    instant_of,
    listed,
    minor_units,
    noon_of,
    text_of,
)
from ledger.providers.stripe_movements import FEES, SOURCE, Movements

REVENUE = "revenue"
REFUND = "refund"
DISPUTES = "disputes"
DISPUTE_FEES = "dispute fees"
PAYOUT = "payout"
TOPUP = "top-up"
_GONE = frozenset({"failed", "canceled", "reversed"})
# Types of balance transactions.
_CHARGES = frozenset({"charge", "payment"})
_REFUNDS = frozenset({"refund", "payment_refund", "refund_failure", "payment_failure_refund"})
_FEES_ALONE = frozenset({"stripe_fee", "stripe_fx_fee", "tax_fee", "network_cost"})


def charge(thing: dict[str, Any], moves: Movements) -> None:
    """A payment: income when it is captured; its refunds, as far as they are listed."""
    status = thing.get("status")
    paid = status == "succeeded" if isinstance(status, str) else thing.get("paid") is True
    if not paid or thing.get("captured") is False:
        return
    captured = thing.get("amount_captured")
    minor = captured if type(captured) is int and captured else minor_units(thing, "amount")
    currency = currency_of(thing)
    transaction = _expanded(thing, "balance_transaction")
    settlement = moves.conversion(transaction, minor, currency) if transaction else None
    moves.add(
        "income",
        minor,
        currency,
        ref=id_of(thing),
        at=instant_of(thing, "created"),
        category=REVENUE,
        counterparty=_customer(thing),
        settlement=settlement,
        payment_intent=text_of(thing, "payment_intent"),
        invoice=text_of(thing, "invoice"),
        balance_transaction=text_of(thing, "balance_transaction"),
        description=text_of(thing, "description"),
    )
    if transaction:
        moves.fee(transaction)
    for refunded in listed(thing, "refunds"):
        refund(refunded, moves)


def refund(thing: dict[str, Any], moves: Movements) -> None:
    """Money back to a customer; taken back when the refund fails or is cancelled."""
    status = thing.get("status")
    if status in _GONE:
        moves.take_back(thing)
        transaction_id = text_of(thing, "balance_transaction")
        if transaction_id:
            # With it goes the change of money that the refund was paid by.
            moves.removed.append(ObjectKey(SOURCE, transaction_id))
        return
    if status == "requires_action":
        return
    minor, currency = minor_units(thing, "amount"), currency_of(thing)
    transaction = _expanded(thing, "balance_transaction")
    settlement = moves.conversion(transaction, minor, currency) if transaction else None
    moves.add(
        "expense",
        minor,
        currency,
        ref=id_of(thing),
        at=instant_of(thing, "created"),
        category=REFUND,
        counterparty="Stripe customer",
        settlement=settlement,
        charge=text_of(thing, "charge"),
        # By this a refund of income received at once takes back what of it was not earned yet.
        refund_of=text_of(thing, "charge"),
        payment_intent=text_of(thing, "payment_intent"),
        balance_transaction=text_of(thing, "balance_transaction"),
    )
    if transaction:
        moves.fee(transaction)


def dispute(thing: dict[str, Any], moves: Movements) -> None:
    """What a bank takes for its customer and gives back, each with its fee; an inquiry moves nothing."""
    transactions = sorted(listed(thing, "balance_transactions"), key=lambda item: instant_of(item, "created"))
    if not transactions:
        return
    ref = id_of(thing)
    seen: set[str] = set()
    for transaction in transactions:
        minor = minor_units(transaction, "amount")
        kind = "income" if minor > 0 else "expense"
        # Money may be withdrawn a second time; then the balance transaction tells the two apart.
        own_ref = ref if kind not in seen else f"{ref}:{id_of(transaction)}"
        seen.add(kind)
        moves.add(
            kind,
            minor,
            currency_of(transaction),
            ref=own_ref,
            at=instant_of(transaction, "created"),
            category=DISPUTES,
            charge=text_of(thing, "charge"),
            # By this the payment's service periods end, and go on when the dispute is won.
            refund_of=text_of(thing, "charge"),
            **_disputed(thing, transaction),
            reason=text_of(thing, "reason"),
            balance_transaction=id_of(transaction),
        )
        moves.fee(transaction, category=DISPUTE_FEES)


def _disputed(thing: dict[str, Any], transaction: dict[str, Any]) -> dict[str, Any]:
    """What is disputed in the currency of the payment, where Stripe settles it in another one."""
    currency, minor = text_of(thing, "currency").upper(), thing.get("amount")
    if not currency or type(minor) is not int or currency == currency_of(transaction):
        return {}
    return {"refund_amount": str(in_currency(abs(minor), currency)), "refund_currency": currency}


def payout(thing: dict[str, Any], moves: Movements) -> None:
    """Money on its way to the bank: it leaves Stripe when the payout is made and is at the bank on its arrival
    day.

    A payout below zero is a debit of the bank account. What failed or was cancelled never left.
    """
    status = thing.get("status")
    if status in _GONE:
        moves.take_back(thing)
        return
    minor, currency = minor_units(thing, "amount"), currency_of(thing)
    here, there = ("out", "in") if minor > 0 else ("in", "out")
    noted: dict[str, Any] = {
        "destination": text_of(thing, "destination"),
        "balance_transaction": text_of(thing, "balance_transaction"),
        "trace": text_of(thing["trace_id"], "value") if isinstance(thing.get("trace_id"), dict) else "",
    }
    ref = id_of(thing)
    left_at = instant_of(thing, "created", "date")
    moves.add("transfer", minor, currency, ref=ref, at=left_at, category=PAYOUT, direction=here, **noted)
    if status == "paid" and _keeps_the_bank_leg(moves.context):
        arrival = "arrival_date" if type(thing.get("arrival_date")) is int else "date"
        arrived_at = noon_of(thing, arrival, moves.context.timezone)
        bank = moves.context.accounts["bank"]
        moves.add(
            "transfer",
            minor,
            currency,
            ref=ref,
            at=arrived_at,
            category=PAYOUT,
            direction=there,
            account=bank,
            **noted,
        )
    transaction = _expanded(thing, "balance_transaction")
    if transaction:
        moves.fee(transaction)
    for part in listed(thing, "transactions"):
        _part_of_payout(part, moves)


def _part_of_payout(transaction: dict[str, Any], moves: Movements) -> None:
    """Something that a payout is the sum of: a payment or refund with its rate and fee, or a fee of its own.

    Disputes and transfers are told by their own events, and the list repeats the payout itself.
    """
    kind, source = transaction.get("type"), _expanded(transaction, "source")
    if kind in _CHARGES and source is not None and source.get("object") == "charge":
        charge({**source, "balance_transaction": transaction}, moves)
    elif kind in _REFUNDS and source is not None and source.get("object") == "refund":
        refund({**source, "balance_transaction": transaction}, moves)
    elif kind in _FEES_ALONE:
        # What Stripe charges for is its fee here, as an amount below zero; no webhook tells of it.
        minor = minor_units(transaction, "amount")
        event_type, direction = ("expense", None) if minor < 0 else ("adjustment", "in")
        moves.add(
            event_type,
            minor,
            currency_of(transaction),
            ref=id_of(transaction),
            at=instant_of(transaction, "created"),
            category=FEES,
            direction=direction,
            description=text_of(transaction, "description"),
        )


def topup(thing: dict[str, Any], moves: Movements) -> None:
    """Money from the bank to Stripe."""
    status = thing.get("status")
    if status in _GONE:
        moves.take_back(thing)
    elif status == "succeeded":
        minor, currency = minor_units(thing, "amount"), currency_of(thing)
        at, ref = instant_of(thing, "created"), id_of(thing)
        moves.add("transfer", minor, currency, ref=ref, at=at, category=TOPUP, direction="in")
        if _keeps_the_bank_leg(moves.context):
            bank = moves.context.accounts["bank"]
            moves.add("transfer", minor, currency, ref=ref, at=at, category=TOPUP, direction="out", account=bank)


def transfer(thing: dict[str, Any], moves: Movements) -> None:
    """Money to a connected account, and what of it comes back. Before 2017 Stripe called payouts transfers too."""
    if isinstance(thing.get("status"), str):
        payout(thing, moves)
        return
    currency = currency_of(thing)
    destination = text_of(thing, "destination")
    moves.add(
        "expense",
        minor_units(thing, "amount"),
        currency,
        ref=id_of(thing),
        at=instant_of(thing, "created", "date"),
        category="connected accounts",
        counterparty=destination or "Stripe",
    )
    for back in listed(thing, "reversals"):
        moves.add(
            "income",
            minor_units(back, "amount"),
            currency,
            ref=id_of(back),
            at=instant_of(back, "created"),
            category="connected accounts",
            counterparty=destination or "Stripe",
        )


def application_fee(thing: dict[str, Any], moves: Movements) -> None:
    """What a platform earns on a payment of a connected account, and what of it is given back."""
    currency = currency_of(thing)
    counterparty = text_of(thing, "account")
    moves.add(
        "income",
        minor_units(thing, "amount"),
        currency,
        ref=id_of(thing),
        at=instant_of(thing, "created"),
        category="application fees",
        counterparty=counterparty,
        charge=text_of(thing, "charge"),
    )
    for back in listed(thing, "refunds"):
        moves.add(
            "expense",
            minor_units(back, "amount"),
            currency,
            ref=id_of(back),
            at=instant_of(back, "created"),
            category=REFUND,
            counterparty=counterparty,
        )


def _expanded(thing: dict[str, Any], name: str) -> dict[str, Any] | None:
    value = thing.get(name)
    return value if isinstance(value, dict) else None


def _customer(thing: dict[str, Any]) -> str:
    details = thing.get("billing_details")
    name = text_of(details, "name") if isinstance(details, dict) else ""
    return name or text_of(thing, "customer") or "Stripe customer"


def _keeps_the_bank_leg(context: ParseContext) -> bool:
    """Where a feed of the bank account is connected, the deposit comes from there."""
    return context.settings["bank_feed"] is not True and bool(context.accounts["bank"])
