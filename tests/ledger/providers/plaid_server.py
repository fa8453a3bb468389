"""Plaid's side of a sync: transactions that change, paged out over HTTP by cursor, with its documented errors."""

import json
from pathlib import Path
from typing import Any

from tests.ledger.providers.outside_server import Asked, OutsideServer, Reply

ITEM = "wz666MBjYWTp2PDzzggYhM6oWWmBb"
ACCESS_TOKEN = "access-sandbox-de3ce8ef-33f8-452c-a685-8671031fc0f6"
CLIENT_ID, SECRET = "5fd92e38107d160013b02a37", "plaid-secret-for-tests"
CHECKING = {
    "account_id": "BxBXxLj1m4HMXBm9WZZmCWVbPjX16EHwv99vp",
    "balances": {"available": 100, "current": 110.5, "iso_currency_code": "USD", "limit": None},
    "mask": "0000",
    "name": "Plaid Checking",
    "type": "depository",
    "subtype": "checking",
}
CARD = {
    "account_id": "dVzbVMLjrxTnLjX4G66XUp5GLklm4oiZy88yK",
    "balances": {"available": None, "current": 410, "iso_currency_code": "USD", "limit": 2000},
    "mask": "3333",
    "name": "Plaid Credit Card",
    "type": "credit",
    "subtype": "credit card",
}


def row(transaction_id: str, amount: float, **changes: Any) -> dict[str, Any]:
    return {
        "transaction_id": transaction_id,
        "account_id": CHECKING["account_id"],
        "amount": amount,
        "iso_currency_code": "USD",
        "unofficial_currency_code": None,
        "date": "2026-06-01",
        "datetime": None,
        "authorized_date": None,
        "name": f"row {transaction_id}",
        "merchant_name": None,
        "pending": False,
        "pending_transaction_id": None,
        **changes,
    }


def plaid_error(code: str, kind: str, status: int = 400, **headers: str) -> Reply:
    content = {"error_code": code, "error_type": kind, "error_message": f"about {code}", "display_message": None}
    return Reply(status, content, headers)


class PlaidServer:
    """Pages are a list; a cursor is the number of pages read. `errors` are answered first, in turn."""

    def __init__(self, outside: OutsideServer) -> None:
        self.outside = outside
        self.accounts: list[dict[str, Any]] = [CHECKING]
        self.pages: list[dict[str, Any]] = []
        self.errors: list[Reply | None] = []
        self.keys: dict[str, dict[str, Any]] = {}
        outside.on("/transactions/sync", self.sync)
        outside.on("/accounts/get", lambda _: Reply(200, {"accounts": self.accounts}))
        outside.on("/webhook_verification_key/get", self.key)

    @property
    def url(self) -> str:
        return self.outside.url

    def page(
        self,
        *added: dict[str, Any],
        modified: list[dict[str, Any]] | None = None,
        removed: list[str] | None = None,
    ) -> None:
        gone = [{"transaction_id": name, "account_id": CHECKING["account_id"]} for name in removed or []]
        self.pages.append({"added": list(added), "modified": modified or [], "removed": gone})

    def sync(self, asked: Asked) -> Reply:
        if asked.headers.get("Plaid-Secret", asked.headers.get("PLAID-SECRET")) != SECRET:
            return plaid_error("INVALID_API_KEYS", "INVALID_INPUT")
        if asked.json["access_token"] != ACCESS_TOKEN:
            return plaid_error("INVALID_ACCESS_TOKEN", "INVALID_INPUT")
        if self.errors:
            error = self.errors.pop(0)
            if error is not None:
                return error
        read = int(asked.json.get("cursor") or 0)
        waiting = self.pages[read:]
        content = waiting[0] if waiting else {"added": [], "modified": [], "removed": []}
        return Reply(
            200,
            {
                **content,
                "accounts": self.accounts,
                "next_cursor": str(min(read + 1, len(self.pages))),
                "has_more": len(waiting) > 1,
                "transactions_update_status": "HISTORICAL_UPDATE_COMPLETE",
                "request_id": "r",
            },
        )

    def key(self, asked: Asked) -> Reply:
        found = self.keys.get(asked.json["key_id"])
        if found is None:
            return plaid_error("INVALID_WEBHOOK_VERIFICATION_KEY_ID", "INVALID_INPUT")
        return Reply(200, {"key": found, "request_id": "r"})

    def serve_documented_page(self, shared_data: Path) -> None:
        documented = json.loads((shared_data / "plaid-sync" / "transactions_sync.json").read_text())
        self.accounts = documented["accounts"]
        self.pages.append({name: documented[name] for name in ("added", "modified", "removed")})
