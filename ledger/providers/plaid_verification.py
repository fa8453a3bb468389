"""Whether Plaid sent a delivery, with its keys fetched from Plaid and remembered."""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ledger.providers.key_memory import KeyMemory
from ledger.providers.plaid_api import PlaidClient
from ledger.providers.plaid_signature import verify_plaid

_keys = KeyMemory[Mapping[str, Any]]()


def verify_delivery(*, body: bytes, token: str, client: PlaidClient, now: datetime) -> None:
    """Accept a delivery, or say why not.

    Args:
        token: the header Plaid-Verification.

    Raises:
        InvalidPlaidSignature, UnknownKey: any doubt.
        TooManyLookups, Unavailable, PlaidRefused: it cannot be told now; Plaid sends the delivery again.
    """

    def key_of(kid: str) -> Mapping[str, Any]:
        def fetch() -> Mapping[str, Any] | None:
            key = client.verification_key(kid=kid)
            # A rotated key stays listed with the time of its end.
            return None if key is None or key.get("expired_at") is not None else key

        return _keys.find(name=(client.base_url, kid), fetch=fetch, seconds=time.monotonic())

    verify_plaid(body=body, token=token, key_of=key_of, now=now)
