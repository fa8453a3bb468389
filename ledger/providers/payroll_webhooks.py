"""Gusto-style payroll webhooks: thin, signed with the token of the handshake; what they name is fetched."""

import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
MAX_TOKEN_CHARACTERS = 255

# The payroll may have cash in it, or its cash was taken back: look at it.
_LOOK = frozenset({"payroll.processed", "payroll.paid", "payroll.updated"})
_TAKEN_BACK = frozenset({"payroll.reversed", "payroll.cancelled"})
_NO_CASH_YET = {
    "payroll.created": "a draft",
    "payroll.calculated": "a draft",
    "payroll.submitted": "handed in, and announced again once it is processed",
    "payroll.processing_failed": "was not run",
}
_OTHER_ENTITIES = "concerns {entity}, not a payroll: no cash moves"


class InvalidPayrollSignature(ValueError):
    """A delivery that the payroll provider did not sign; the message says why."""


class UnreadableWebhook(ValueError):
    """A signed body that is no event of a payroll provider; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Handshake:
    """The first delivery of a subscription. Unsigned, so nothing but the provider can tell whether it is true.

    Attributes:
        token: signs later deliveries, once the provider has accepted it.
        subscription: uuid of the subscription, empty when the delivery does not name it.
    """

    token: str
    subscription: str


@dataclass(frozen=True, slots=True)
class PayrollChanged:
    """Look at a payroll.

    Attributes:
        taken_back: its debits were reversed or it was cancelled: none of its lines stands.
    """

    company: str
    payroll: str
    taken_back: bool


@dataclass(frozen=True, slots=True)
class NeedsPerson:
    """Something happened that only a person can put into figures."""

    reason: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """Deliberately ignored."""

    reason: str


Meaning = Handshake | PayrollChanged | NeedsPerson | Nothing


def verify_payroll(*, body: bytes, signature: str, secrets: Iterable[str]) -> None:
    """Accept a delivery, or say why not.

    Args:
        body: the raw bytes.
        signature: the header X-Gusto-Signature: HMAC-SHA256 in hexadecimal digits.
        secrets: tokens in force, more than one while one replaces the other.

    Raises:
        InvalidPayrollSignature: any doubt.
    """
    if not signature:
        raise InvalidPayrollSignature("the header X-Gusto-Signature is missing")
    given = signature.strip().lower().encode()
    # Every secret is tried, so that the time taken does not tell which one fits.
    fits = [hmac.compare_digest(_mac(secret, body), given) for secret in secrets if secret]
    if not any(fits):
        raise InvalidPayrollSignature("the signature does not fit")


def _mac(secret: str, body: bytes) -> bytes:
    return hmac.new(secret.encode(), body, sha256).hexdigest().encode()


def read_handshake(body: Mapping[str, Any]) -> Handshake | None:
    """Return the handshake that a body is, None when it is something else."""
    token = body.get("verification_token")
    if "event_type" in body or not isinstance(token, str) or not 16 <= len(token) <= MAX_TOKEN_CHARACTERS:
        return None
    subscription = body.get("webhook_subscription_uuid")
    named = isinstance(subscription, str) and _UUID.fullmatch(subscription)
    return Handshake(token=token, subscription=str(subscription) if named else "")


def read_webhook(body: Mapping[str, Any]) -> Meaning:
    """Return what a signed delivery asks of us.

    Raises:
        UnreadableWebhook: not an event, or one of a payroll that we do not know.
    """
    handshake = read_handshake(body)
    if handshake is not None:
        return handshake
    event_type, entity = body.get("event_type"), body.get("entity_type")
    if not isinstance(event_type, str) or not isinstance(entity, str):
        raise UnreadableWebhook("event_type or entity_type is missing")
    if entity != "Payroll":
        return Nothing(_OTHER_ENTITIES.format(entity=entity[:64]))
    if event_type in _NO_CASH_YET:
        return Nothing(f"{event_type}: {_NO_CASH_YET[event_type]}")
    if event_type == "payroll.partially_reversed":
        return NeedsPerson("a part of the payroll's debits was reversed, and the webhook does not say which")
    if event_type not in _LOOK | _TAKEN_BACK:
        raise UnreadableWebhook(f"unknown event_type {event_type[:64]!r}")
    return PayrollChanged(
        company=_uuid(body, "resource_uuid"),
        payroll=_uuid(body, "entity_uuid"),
        taken_back=event_type in _TAKEN_BACK,
    )


def _uuid(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    # It becomes a part of the address we ask: nothing but a UUID may stand there.
    if not isinstance(value, str) or _UUID.fullmatch(value) is None:
        raise UnreadableWebhook(f"{name} is no UUID")
    return value.lower()
