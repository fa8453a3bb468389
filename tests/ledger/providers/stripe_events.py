"""Stripe's envelopes, as small as a test needs them."""

import json
from typing import Any

from stripe import WebhookSignature

CREATED = 1_780_000_000  # 2026-05-28T20:26:40Z
SECRET = "whsec_only_for_tests"


def envelope(kind: str, thing: dict[str, Any], *, created: int = CREATED, **more: Any) -> bytes:
    event = {"id": f"evt_{created}", "object": "event", "type": kind, "created": created, "livemode": True}
    return json.dumps({**event, "data": {"object": thing}, **more}).encode()


def charge(number: str = "ch_1", **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "object": "charge",
        "amount": 1050,
        "currency": "usd",
        "status": "succeeded",
        "captured": True,
        "created": CREATED,
        "customer": "cus_1",
        **more,
    }


def transaction(number: str, amount: int, currency: str, *, fee: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "object": "balance_transaction",
        "amount": amount,
        "currency": currency,
        "fee": fee,
        "created": CREATED,
        "exchange_rate": None,
        **more,
    }


def payout(status: str, **more: Any) -> dict[str, Any]:
    arrival = 1_780_099_200  # 2026-05-30T00:00:00Z
    return {
        "id": "po_1",
        "object": "payout",
        "amount": 900,
        "currency": "usd",
        "status": status,
        "created": CREATED,
        "arrival_date": arrival,
        **more,
    }


def signed(raw: bytes, at: int, secret: str = SECRET) -> str:
    return WebhookSignature.generate_signature_header(raw.decode(), secret, at)
