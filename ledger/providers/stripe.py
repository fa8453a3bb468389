"""Stripe: payments, refunds, disputes, fees, payouts, and the service periods and credit notes of invoices.

Stripe may deliver an event twice, again under another id, late and out of order. So events of the journal carry
the ids of Stripe's objects, and what Stripe said earlier about an object never undoes what it said later.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from ledger.domain.intake import Intake, ObjectKey
from ledger.domain.problems import FieldProblem
from ledger.domain.strict_json import InvalidJson, parse_json
from ledger.providers import stripe_credit_note, stripe_customer, stripe_invoice, stripe_money
from ledger.providers.provider import (
    VERIFIED,
    Arrival,
    FetchContext,
    Fetched,
    ParseContext,
    Provider,
    Unreadable,
    Verdict,
    refused,
)
from ledger.providers.stripe_amounts import id_of, instant_of, listed, text_of
from ledger.providers.stripe_api import StripeApi
from ledger.providers.stripe_movements import Movements

HEADER = "stripe-signature"
TOLERANCE_SECONDS = 300

Reader = Callable[[dict[str, Any], Movements], None]

_CHARGE = (
    "charge.succeeded",
    "charge.captured",
    "charge.updated",
    "charge.refunded",
    "charge.pending",
    "charge.failed",
    "charge.expired",
)
_REFUND = ("refund.created", "refund.updated", "refund.failed", "charge.refund.updated")
_DISPUTE = tuple(
    f"charge.dispute.{what}" for what in ("created", "updated", "closed", "funds_withdrawn", "funds_reinstated")
)
_PAYOUT = tuple(
    f"payout.{what}" for what in ("created", "updated", "paid", "failed", "canceled", "reconciliation_completed")
)
_TOPUP = tuple(f"topup.{what}" for what in ("created", "succeeded", "failed", "canceled", "reversed"))
_TRANSFER = tuple(f"transfer.{what}" for what in ("created", "updated", "paid", "failed", "reversed", "canceled"))
_APPLICATION_FEE = ("application_fee.created", "application_fee.refunded")

# Type of the event: what reads its object, and why that may find nothing.
READERS: dict[str, tuple[Reader, str]] = {
    **dict.fromkeys(_CHARGE, (stripe_money.charge, "The payment moved no money: it is not captured, or failed.")),
    **dict.fromkeys(_REFUND, (stripe_money.refund, "The refund waits for the customer.")),
    **dict.fromkeys(_DISPUTE, (stripe_money.dispute, "The dispute moved no money so far.")),
    **dict.fromkeys(_PAYOUT, (stripe_money.payout, "The payout moved no money.")),
    **dict.fromkeys(_TOPUP, (stripe_money.topup, "The top-up has not arrived.")),
    **dict.fromkeys(_TRANSFER, (stripe_money.transfer, "The transfer moved no money.")),
    **dict.fromkeys(_APPLICATION_FEE, (stripe_money.application_fee, "The fee is zero.")),
}

# Last words of those types, in the order of an object's life. An invoice is often finalised and paid within the
# second that Stripe dates both to.
_LIFE = (
    *("pending", "created", "finalized", "succeeded", "captured", "funds_withdrawn", "updated"),
    *("payment_succeeded", "paid", "overpaid"),
    *("reconciliation_completed", "closed", "refunded", "funds_reinstated"),
    *("failed", "expired", "canceled", "reversed", "voided"),
)

INVOICE_VOIDED = "invoice.voided"
# What says by what an invoice is settled.
INVOICE_SETTLED = frozenset({"invoice.finalized", "invoice.payment_succeeded", "invoice.paid", "invoice.overpaid"})
CUSTOMER_UPDATED = "customer.updated"
CREDIT_NOTE = frozenset({"credit_note.created", "credit_note.updated", "credit_note.voided"})

_SET_UP = "It is about what can be sold or who buys; no money moves."
_BY_CHARGE = "The charge that carries it out is recorded when it succeeds."
_BY_INVOICE = "Its invoice states the service period when it is paid."
_DRAFT = "Nothing is paid yet; invoice.paid says so when it is."
# By the longest beginning of the event's type that stands here.
IGNORED: dict[str, str] = {
    "account.": "It is about the Stripe account itself.",
    "balance.": "A balance in the middle of a day is no closing balance.",
    "billing.": _SET_UP,
    "billing_portal.": _SET_UP,
    "capability.": "It is about the Stripe account itself.",
    "checkout.session.": _BY_CHARGE,
    "coupon.": _SET_UP,
    "customer.": _SET_UP,
    "customer.updated": "It lowers no balance; what is added to one is told by an invoice or a credit note.",
    "customer.subscription.": _BY_INVOICE,
    "entitlements.": _SET_UP,
    "file.": _SET_UP,
    "financial_connections.": _SET_UP,
    "identity.": _SET_UP,
    "invoice.": _DRAFT,
    "invoice.marked_uncollectible": "What is not paid was never counted: there is nothing to take back.",
    "invoice_payment.": _BY_CHARGE,
    "invoiceitem.": _DRAFT,
    "mandate.": _SET_UP,
    "payment_intent.": _BY_CHARGE,
    "payment_link.": _SET_UP,
    "payment_method.": _SET_UP,
    "person.": "It is about the Stripe account itself.",
    "plan.": _SET_UP,
    "price.": _SET_UP,
    "product.": _SET_UP,
    "promotion_code.": _SET_UP,
    "quote.": _DRAFT,
    "radar.": "A warning moves no money; a dispute does.",
    "reporting.": "A report moves no money.",
    "review.": "A review moves no money; a refund does.",
    "setup_intent.": _SET_UP,
    "sigma.": "A report moves no money.",
    "source.": _BY_CHARGE,
    "subscription_schedule.": _BY_INVOICE,
    "tax.": _SET_UP,
    "tax_rate.": _SET_UP,
    "terminal.": _SET_UP,
    "test_helpers.": "It is about a test clock.",
}


def verify(arrival: Arrival) -> Verdict:
    """Judge the signature over the raw bytes with Stripe's library.

    The library accepts what is dated in the future and reads the clock itself, so the time is judged here.
    """
    # 0.1 s to import, which every command and worker would pay.
    from stripe import SignatureVerificationError, WebhookSignature

    header = arrival.headers.get(HEADER, "")
    if not header:
        return refused("there is no Stripe-Signature header")
    if not arrival.secrets:
        return refused("the endpoint has no secret yet")
    for secret in arrival.secrets:
        try:
            WebhookSignature.verify_header(arrival.raw, header, secret, tolerance=None)
        except (SignatureVerificationError, UnicodeError, TypeError, ValueError):
            continue
        return _in_time(header, arrival)
    return refused("the signature does not fit the body")


def _in_time(header: str, arrival: Arrival) -> Verdict:
    """Only for a header that was verified: the time that was signed is the first `t`."""
    signed = next(part.partition("=")[2] for part in header.split(",") if part.startswith("t="))
    if abs(arrival.now.timestamp() - int(signed)) > TOLERANCE_SECONDS:
        return refused(f"it was signed more than {TOLERANCE_SECONDS} seconds before or after now")
    return VERIFIED


def parse(raw: bytes, context: ParseContext) -> Intake:
    """Return what an event says; one that says nothing about our money is ignored with the reason."""
    return _intake(_event(raw), context)


def fetch(raw: bytes, context: FetchContext) -> Fetched | None:
    """With an API key, ask for what webhooks leave out: fees and rates, refunds of a charge, who paid an
    invoice."""
    key = context.credentials.get("api_key")
    if not key:
        return None
    event = _event(raw)
    asked_about = READERS.keys() | INVOICE_SETTLED | CREDIT_NOTE
    if _not_ours(event, context.parse) or event["type"] not in asked_about:
        return None
    api = StripeApi(key=key, account=text_of(event, "account"))
    api.complete(event["data"]["object"])
    return Fetched(_intake(event, context.parse), context.cursor)


def _event(raw: bytes) -> dict[str, Any]:
    try:
        event = parse_json(raw)
    except InvalidJson as error:
        raise Unreadable(f"The body is not JSON: {error}") from None
    data = event.get("data") if isinstance(event, dict) else None
    if not isinstance(data, dict) or not isinstance(data.get("object"), dict) or not text_of(event, "type"):
        raise Unreadable("The body is not an event of Stripe with a type and data.object")
    return dict(event)


def _intake(event: dict[str, Any], context: ParseContext) -> Intake:
    not_ours = _not_ours(event, context)
    if not_ours:
        return Intake(ignored=not_ours)
    kind, thing = text_of(event, "type"), event["data"]["object"]
    if kind in READERS:
        reader, otherwise = READERS[kind]
        moves = Movements(context)
        reader(thing, moves)
        if kind == "charge.refunded" and not listed(thing, "refunds"):
            # Newer versions of the API list no refunds here, and only a refund's own id tells it apart.
            otherwise = "It lists no refunds; refund.created states each of them."
        return moves.intake(said_at=_said_at(event), otherwise=otherwise)
    if kind in INVOICE_SETTLED:
        return _invoice(thing, context, said_at=_said_at(event))
    if kind == INVOICE_VOIDED:
        document = ObjectKey(stripe_money.SOURCE, id_of(thing))
        used = stripe_invoice.used_before_void(thing)
        return Intake(settled=used, voided=(document,), said_at=_said_at(event))
    if kind in CREDIT_NOTE:
        note = stripe_credit_note.credit_note(thing, context)
        if note is None:
            return Intake(ignored="It was issued before the payment, which it lowered.")
        return Intake(credit_notes=(note,), said_at=_said_at(event))
    if kind == CUSTOMER_UPDATED:
        lowered = stripe_customer.lowered_balance(event)
        return Intake(ignored=_reason_to_ignore(kind)) if lowered is None else Intake(lowered=(lowered,))
    return Intake(ignored=_reason_to_ignore(kind))


def _said_at(event: dict[str, Any]) -> datetime:
    """When Stripe said so. It dates to the second; what happened to an object within one has the order of its
    life, in microseconds: else the order of arrival would decide, and each repeat would decide anew."""
    place = _LIFE.index(text_of(event, "type").rpartition(".")[2])
    return instant_of(event, "created") + timedelta(microseconds=place)


def _invoice(thing: dict[str, Any], context: ParseContext, *, said_at: datetime) -> Intake:
    periods = stripe_invoice.service_periods(thing, context)
    settled = stripe_invoice.settled(thing, context)
    notes = stripe_invoice.unused_time(thing, context)
    if not periods and settled is None and not notes:
        paid = stripe_invoice.is_paid(thing)
        why = (
            f"No line covers days. {_BY_CHARGE}" if paid else "Neither a payment nor a balance settles it so far."
        )
        return Intake(ignored=why)
    return Intake(
        service_periods=periods,
        settled=() if settled is None else (settled,),
        credit_notes=notes,
        said_at=said_at,
    )


def _reason_to_ignore(kind: str) -> str:
    beginnings = [beginning for beginning in IGNORED if kind.startswith(beginning)]
    if not beginnings:
        raise Unreadable(f"{kind} is a type that is not known here, so it may be about money")
    return IGNORED[max(beginnings, key=len)]


def _not_ours(event: dict[str, Any], context: ParseContext) -> str:
    """Why an event is not about this company's money; empty when it is."""
    account, wanted = text_of(event, "account"), context.settings["account"]
    if account and account != wanted:
        return f"It belongs to the connected account {account}; the endpoint's setting `account` names ours."
    mode = "live" if event.get("livemode") is True else "test"
    # An endpoint for connected accounts gets both; one for our own account the mode that its secret belongs to.
    expected = context.settings["mode"] or ("live" if account else mode)
    if mode != expected:
        return f"It is of {mode} mode; the endpoint takes {expected} mode."
    return ""


_MODES = ("", "live", "test")
_ACCOUNT = re.compile(r"acct_[A-Za-z0-9]{1,100}")
# Secret and restricted keys; a publishable one (pk_) reads nothing.
_KEY = re.compile(r"(?:sk|rk)_(live|test)_[A-Za-z0-9_]{1,240}")


def problems(settings: Mapping[str, Any], credentials: Mapping[str, str]) -> Iterator[FieldProblem]:
    """What is wrong with the settings and the key of an endpoint."""
    if settings["mode"] not in _MODES:
        yield FieldProblem("settings.mode", "must be live, test, or empty for whichever the secret belongs to")
    if settings["account"] and _ACCOUNT.fullmatch(settings["account"]) is None:
        yield FieldProblem("settings.account", "must be the id of a connected account, acct_…, or empty")
    if "api_key" not in credentials:
        return
    key = _KEY.fullmatch(credentials["api_key"])
    if key is None:
        yield FieldProblem("credentials.api_key", "must be a secret (sk_…) or restricted (rk_…) key of Stripe")
    elif settings["mode"] in _MODES[1:] and key[1] != settings["mode"]:
        message = f"is a key for {key[1]} mode, the endpoint takes {settings['mode']} mode"
        yield FieldProblem("credentials.api_key", message)


PROVIDER = Provider(
    name="stripe",
    label="Stripe",
    safe_headers=frozenset({HEADER, "content-type", "user-agent"}),
    verify=verify,
    parse=parse,
    fetch=fetch,
    stable_ids=True,
    accounts={"processor": "stripe", "bank": "bank"},
    # mode: live or test, empty for whichever the secret belongs to. account: acct_… when events of a connected
    # account are ours. bank_feed: true when the bank account has a feed, which then states the deposits.
    settings={"mode": "", "account": "", "bank_feed": False},
    credentials={"api_key": "API key, to ask for fees, rates and what webhooks leave out"},
    problems=problems,
)
