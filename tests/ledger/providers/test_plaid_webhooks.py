"""Every webhook that Plaid documents is acted on, or ignored for a reason."""

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.providers.plaid_webhooks import (
    FeedRepaired,
    FeedTrouble,
    Nothing,
    Sync,
    UnreadableWebhook,
    read_webhook,
)

ITEM = {"item_id": "wz666MBjYWTp2PDzzggYhM6oWWmBb", "environment": "production"}


def webhook(kind: str, code: str, **more: Any) -> dict[str, Any]:
    return {"webhook_type": kind, "webhook_code": code, **ITEM, **more}


def test_news_start_a_walk() -> None:
    meaning = read_webhook(webhook("TRANSACTIONS", "SYNC_UPDATES_AVAILABLE", historical_update_complete=True))

    assert meaning == Sync(item_id=ITEM["item_id"], complete=True)


def test_a_broken_sign_in_silences_the_feed_with_its_reason() -> None:
    error = {"error_code": "ITEM_LOGIN_REQUIRED", "display_message": None, "error_message": "credentials changed"}

    meaning = read_webhook(webhook("ITEM", "ERROR", error=error))

    assert meaning == FeedTrouble(ITEM["item_id"], silent=True, reason="ITEM_LOGIN_REQUIRED: credentials changed")


def test_a_coming_expiry_warns_and_the_feed_still_speaks() -> None:
    meaning = read_webhook(webhook("ITEM", "PENDING_EXPIRATION", consent_expiration_time="2020-01-15T13:25:17Z"))

    assert meaning == FeedTrouble(
        ITEM["item_id"], silent=False, reason="PENDING_EXPIRATION: on 2020-01-15T13:25:17Z"
    )


def test_a_repaired_sign_in_lets_the_feed_speak_again() -> None:
    assert read_webhook(webhook("ITEM", "LOGIN_REPAIRED")) == FeedRepaired(ITEM["item_id"])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"webhook_type": "TRANSACTIONS"},
        {"webhook_type": "TRANSACTIONS", "webhook_code": "SYNC_UPDATES_AVAILABLE"},
        webhook("TRANSACTIONS", "NEW_THING"),
        webhook("ITEM", "NEW_THING"),
        webhook("NEW_PRODUCT", "ERROR"),
    ],
)
def test_what_nobody_documented_is_kept_for_a_person(body: dict[str, Any]) -> None:
    with pytest.raises(UnreadableWebhook):
        read_webhook(body)


def test_all_documented_webhooks_are_handled_or_ignored_for_a_reason(shared_data: Path) -> None:
    documented = json.loads((shared_data / "plaid-sync" / "webhook_examples.json").read_text())
    meanings = {name: read_webhook(body) for name, examples in documented.items() for body in examples.values()}

    assert len(meanings) == 88
    acted_on = {name for name, meaning in meanings.items() if not isinstance(meaning, Nothing)}
    assert acted_on == {
        "SyncUpdatesAvailableWebhook",
        "ItemErrorWebhook",
        "ItemLoginRepairedWebhook",
        "PendingExpirationWebhook",
        "PendingDisconnectWebhook",
        "UserPermissionRevokedWebhook",
        "UserAccountRevokedWebhook",
    }
    assert all(meaning.reason for meaning in meanings.values() if isinstance(meaning, Nothing))
