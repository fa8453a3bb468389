"""What each of Plaid's webhooks means to us. Most concern products that move no cash of ours."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Starts a walk of /transactions/sync. The older codes say the same to items that have never been synced.
SYNC_CODES = frozenset({"SYNC_UPDATES_AVAILABLE"})
LEGACY_CODES = frozenset({"INITIAL_UPDATE", "HISTORICAL_UPDATE", "DEFAULT_UPDATE", "TRANSACTIONS_REMOVED"})

# Types of other products, and why nothing of them belongs into the books.
_OTHER_PRODUCTS = {
    "ASSETS": "asset reports restate balances that the sync brings",
    "AUTH": "account and routing numbers; no cash moves",
    "BANK_TRANSFERS": "a money-moving product: its cash shows in the bank's transactions",
    "BASE_REPORT": "consumer reports; no cash moves",
    "BEACON": "fraud reports; no cash moves",
    "CASH_FLOW_UPDATES": "Plaid's own reading of transactions that the sync brings",
    "CHECK_REPORT": "consumer reports; no cash moves",
    "CRA_INCOME": "consumer reports; no cash moves",
    "CRA_INSIGHTS": "consumer reports; no cash moves",
    "DASHBOARD_CONFIGURED_ALERT": "an alert for Plaid's dashboard",
    "ENTITY_SCREENING": "screening of people and firms; no cash moves",
    "HOLDINGS": "securities are not cash",
    "IDENTITY": "names and addresses; no cash moves",
    "IDENTITY_VERIFICATION": "checks of people; no cash moves",
    "INCOME": "reports on consumers' income; no cash of ours",
    "INVESTMENTS_TRANSACTIONS": "securities are not cash; transfers into them show at the bank",
    "ISSUES": "news about a bank's connection",
    "LAYER": "sign-up of consumers; no cash moves",
    "LIABILITIES": "terms of loans and cards; payments show in the transactions",
    "LINK": "steps of connecting a bank; the sync starts when it is connected",
    "PARTNER": "registration of partners' customers",
    "PAYMENT_INITIATION": "a money-moving product: its cash shows in the bank's transactions",
    "PROCESSOR_TOKEN": "an acknowledgement",
    "PROTECT": "fraud signals; no cash moves",
    "SCREENING": "screening of people and firms; no cash moves",
    "STATEMENTS": "statements as documents; the sync brings what they list",
    "TRANSFER": "a money-moving product: its cash shows in the bank's transactions",
    "WALLET": "a money-moving product: its cash shows in the bank's transactions",
}
_QUIET_ITEM_CODES = {
    "NEW_ACCOUNTS_AVAILABLE": "the owner has not shared the new account with us yet",
    "WEBHOOK_UPDATE_ACKNOWLEDGED": "an acknowledgement",
}
_SILENCING_ITEM_CODES = frozenset(
    {"ERROR", "PENDING_EXPIRATION", "PENDING_DISCONNECT", "USER_PERMISSION_REVOKED", "USER_ACCOUNT_REVOKED"}
)
# These announce the silence; until it begins the feed still speaks.
_WARNING_ITEM_CODES = frozenset({"PENDING_EXPIRATION", "PENDING_DISCONNECT"})


@dataclass(frozen=True, slots=True)
class Sync:
    """There are news: walk through them.

    Attributes:
        complete: Plaid has the whole history of the item.
    """

    item_id: str
    complete: bool


@dataclass(frozen=True, slots=True)
class FeedTrouble:
    """The bank's owner must do something, or the feed falls silent.

    Attributes:
        silent: it has; else it will.
        reason: for a person, with Plaid's code.
    """

    item_id: str
    silent: bool
    reason: str


@dataclass(frozen=True, slots=True)
class FeedRepaired:
    """The feed speaks again; walk through what happened meanwhile."""

    item_id: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """Deliberately ignored."""

    reason: str


Meaning = Sync | FeedTrouble | FeedRepaired | Nothing


class UnreadableWebhook(ValueError):
    """A signed body that is not one of Plaid's webhooks; the message says what is missing."""


def read_webhook(body: Mapping[str, Any]) -> Meaning:
    """Return what a webhook asks of us.

    Raises:
        UnreadableWebhook: a type or code that Plaid did not document when this was written, or no item.
    """
    kind, code = body.get("webhook_type"), body.get("webhook_code")
    if not isinstance(kind, str) or not isinstance(code, str):
        raise UnreadableWebhook("webhook_type or webhook_code is missing")
    if kind == "TRANSACTIONS":
        return _transactions(code, body)
    if kind == "ITEM":
        return _item(code, body)
    reason = _OTHER_PRODUCTS.get(kind)
    if reason is None:
        raise UnreadableWebhook(f"unknown webhook_type {kind[:64]!r}")
    return Nothing(f"{kind}: {reason}")


def _transactions(code: str, body: Mapping[str, Any]) -> Meaning:
    if code == "RECURRING_TRANSACTIONS_UPDATE":
        return Nothing(f"{code}: Plaid's own reading of transactions that the sync brings")
    if code in LEGACY_CODES:
        return Nothing(f"{code}: SYNC_UPDATES_AVAILABLE announces the same to items that are synced")
    if code not in SYNC_CODES:
        raise UnreadableWebhook(f"unknown webhook_code {code[:64]!r} of TRANSACTIONS")
    if "item_id" not in body and isinstance(body.get("account_id"), str):
        return Nothing(f"{code}: for a processor token; capstack connects items")
    return Sync(item_id=_item_id(body), complete=body.get("historical_update_complete") is True)


def _item(code: str, body: Mapping[str, Any]) -> Meaning:
    if code in _QUIET_ITEM_CODES:
        return Nothing(f"{code}: {_QUIET_ITEM_CODES[code]}")
    if code == "LOGIN_REPAIRED":
        return FeedRepaired(item_id=_item_id(body))
    if code not in _SILENCING_ITEM_CODES:
        raise UnreadableWebhook(f"unknown webhook_code {code[:64]!r} of ITEM")
    return FeedTrouble(item_id=_item_id(body), silent=code not in _WARNING_ITEM_CODES, reason=_trouble(code, body))


def _trouble(code: str, body: Mapping[str, Any]) -> str:
    error = body.get("error")
    if isinstance(error, dict):
        message = error.get("display_message") or error.get("error_message") or ""
        said = str(error.get("error_code") or code)
        return f"{said}: {message}"[:255] if message else said
    when = body.get("consent_expiration_time") or body.get("disconnect_time")
    detail = " ".join(str(part) for part in (body.get("reason"), f"on {when}" if when else None) if part)
    return f"{code}: {detail}"[:255] if detail else code


def _item_id(body: Mapping[str, Any]) -> str:
    item_id = body.get("item_id")
    if not isinstance(item_id, str) or not 0 < len(item_id) <= 100:
        raise UnreadableWebhook("item_id is missing")
    return item_id
