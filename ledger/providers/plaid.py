"""Plaid: webhooks that say a bank has news; the bank itself is read by `ledger.services.plaid_sync`."""

from typing import Any

from django.conf import settings

from ledger.domain.intake import FeedNotice, FeedState, Intake
from ledger.domain.strict_json import InvalidJson, parse_json
from ledger.providers.http import Unavailable
from ledger.providers.key_memory import TooManyLookups, UnknownKey
from ledger.providers.plaid_api import PlaidClient, PlaidRefused
from ledger.providers.plaid_signature import InvalidPlaidSignature
from ledger.providers.plaid_verification import verify_delivery
from ledger.providers.plaid_webhooks import (
    FeedRepaired,
    FeedTrouble,
    Nothing,
    UnreadableWebhook,
    read_webhook,
)
from ledger.providers.provider import (
    VERIFIED,
    Arrival,
    ParseContext,
    Provider,
    Unreadable,
    Verdict,
    VerifierUnavailable,
    refused,
)


def plaid_client() -> PlaidClient:
    """Return the way to Plaid that the settings name."""
    return PlaidClient(
        base_url=settings.PLAID_BASE_URL, client_id=settings.PLAID_CLIENT_ID, secret=settings.PLAID_SECRET
    )


def verify(arrival: Arrival) -> Verdict:
    """Believe what Plaid signed, over these very bytes, within five minutes."""
    if not settings.PLAID_CLIENT_ID or not settings.PLAID_SECRET:
        raise VerifierUnavailable("PLAID_CLIENT_ID and PLAID_SECRET are not set")
    try:
        verify_delivery(
            body=arrival.raw,
            token=arrival.headers.get("plaid-verification", ""),
            client=plaid_client(),
            now=arrival.now,
        )
    except (InvalidPlaidSignature, UnknownKey) as error:
        return refused(str(error))
    except (TooManyLookups, Unavailable, PlaidRefused) as error:
        raise VerifierUnavailable(f"Plaid's key: {error}") from error
    return VERIFIED


def parse(raw: bytes, context: ParseContext) -> Intake:  # noqa: ARG001 -- no webhook of Plaid carries a figure
    """Return the notice that a webhook is, or why it is ignored."""
    try:
        content: Any = parse_json(raw)
    except InvalidJson as error:
        raise Unreadable(f"is no JSON: {error}") from None
    if not isinstance(content, dict):
        raise Unreadable("is no JSON object")
    try:
        meaning = read_webhook(content)
    except UnreadableWebhook as error:
        raise Unreadable(str(error)) from None
    if isinstance(meaning, Nothing):
        return Intake(ignored=meaning.reason)
    if isinstance(meaning, FeedTrouble):
        state = FeedState.SILENT if meaning.silent else FeedState.WARNING
        return Intake(notices=(FeedNotice(meaning.item_id, state, meaning.reason),))
    if isinstance(meaning, FeedRepaired):
        return Intake(notices=(FeedNotice(meaning.item_id, FeedState.REPAIRED),))
    state = FeedState.COMPLETE if meaning.complete else FeedState.NEWS
    return Intake(notices=(FeedNotice(meaning.item_id, state),))


PROVIDER = Provider(
    name="plaid",
    label="Plaid",
    safe_headers=frozenset(),
    verify=verify,
    parse=parse,
    stable_ids=True,
    # Accounts are made as Plaid describes them, or named when the item is connected.
    accounts={},
    signing_secrets="none",
)
