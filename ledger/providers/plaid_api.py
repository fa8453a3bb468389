"""What we ask Plaid: signing keys, pages of transactions, balances. Answers come back as parsed JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ledger.providers.http import Answer, Unavailable, request

PAGE_ROWS = 500
# Item errors that only the account's owner can end, by signing in at the bank again.
NEEDS_OWNER = frozenset(
    {
        "ITEM_LOGIN_REQUIRED",
        "PENDING_EXPIRATION",
        "PENDING_DISCONNECT",
        "USER_PERMISSION_REVOKED",
        "ACCESS_NOT_GRANTED",
        "ITEM_NOT_FOUND",
        "INVALID_ACCESS_TOKEN",
        "NO_ACCOUNTS",
        "USER_SETUP_REQUIRED",
    }
)
_RETRY_TYPES = frozenset({"RATE_LIMIT_EXCEEDED", "API_ERROR", "INSTITUTION_ERROR"})
_UNKNOWN_KEY = frozenset({"INVALID_WEBHOOK_VERIFICATION_KEY_ID", "INVALID_FIELD", "NOT_FOUND"})


class PlaidRefused(Exception):
    """Plaid answered with an error that trying again does not end.

    Attributes:
        code: Plaid's `error_code`, such as ITEM_LOGIN_REQUIRED.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code


class MutatedDuringPaging(Exception):
    """The transactions changed while they were paged through: begin the walk again at its first cursor."""


@dataclass(frozen=True, slots=True)
class PlaidClient:
    """One Plaid account of ours. Secrets do not show in its representation."""

    base_url: str
    client_id: str = field(repr=False)
    secret: str = field(repr=False)

    def verification_key(self, *, kid: str) -> Mapping[str, Any] | None:
        """Return the JWK of a kid, None when Plaid does not know it.

        Raises:
            Unavailable: ask again later.
            PlaidRefused: our own credentials are wrong, as a rule.
        """
        try:
            answer = self._ask("/webhook_verification_key/get", {"key_id": kid})
        except PlaidRefused as error:
            if error.code in _UNKNOWN_KEY:
                return None
            raise
        key = answer.get("key")
        return key if isinstance(key, dict) and key.get("kid", kid) == kid else None

    def sync_page(self, *, access_token: str, cursor: str) -> Mapping[str, Any]:
        """Return the page of `/transactions/sync` after a cursor; an empty one begins at the beginning.

        Raises:
            Unavailable: ask again later.
            MutatedDuringPaging: begin the walk again.
            PlaidRefused: any other error, such as ITEM_LOGIN_REQUIRED.
        """
        question: dict[str, Any] = {"access_token": access_token, "count": PAGE_ROWS}
        if cursor:
            question["cursor"] = cursor
        return self._ask("/transactions/sync", question)

    def accounts(self, *, access_token: str) -> Mapping[str, Any]:
        """Return the accounts of an item with the balances Plaid last saw.

        Raises: as sync_page.
        """
        return self._ask("/accounts/get", {"access_token": access_token})

    def _ask(self, path: str, question: Mapping[str, Any]) -> Mapping[str, Any]:
        answer = request(
            method="POST",
            url=f"{self.base_url.rstrip('/')}{path}",
            headers={
                "Content-Type": "application/json",
                "PLAID-CLIENT-ID": self.client_id,
                "PLAID-SECRET": self.secret,
            },
            body=json.dumps(question).encode(),
        )
        return _content(answer)


def _content(answer: Answer) -> Mapping[str, Any]:
    content = answer.json()
    if not isinstance(content, dict):
        raise Unavailable(f"answered {answer.status} with something else than a JSON object")
    if answer.status == 200:
        return content
    code, kind, message = (str(content.get(name) or "") for name in ("error_code", "error_type", "error_message"))
    if code == "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION":
        raise MutatedDuringPaging
    if (kind in _RETRY_TYPES and code not in NEEDS_OWNER) or code == "PRODUCT_NOT_READY":
        raise Unavailable(f"{code or kind}: {message}"[:200])
    raise PlaidRefused(code or f"HTTP_{answer.status}", message[:200])
