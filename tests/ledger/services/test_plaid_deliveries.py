"""What a verified Plaid delivery sets in motion."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.domain.company import CompanyRef
from ledger.models.plaid import PlaidItem
from ledger.providers.plaid_webhooks import UnreadableWebhook
from ledger.services.plaid_deliveries import STRANGER, PlaidDelivery, act_on_delivery
from ledger.services.plaid_sync import waiting_items
from ledger.services.sealed_text import CannotOpen, seal, unseal

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


@pytest.fixture
def item(company: CompanyRef) -> PlaidItem:
    return PlaidItem.objects.create(
        company_id=company.id, item_id="item-1", access_token=seal("t"), created_at=NOW, synced_at=NOW
    )


def act(company: CompanyRef, kind: str, code: str, item_id: str = "item-1", **more: object) -> PlaidDelivery:
    body = {"webhook_type": kind, "webhook_code": code, "item_id": item_id, **more}
    return act_on_delivery(company_id=company.id, body=json.dumps(body).encode(), now=NOW)


def test_news_let_the_item_be_read(company: CompanyRef, item: PlaidItem) -> None:
    done = act(company, "TRANSACTIONS", "SYNC_UPDATES_AVAILABLE", historical_update_complete=True)

    assert done == PlaidDelivery(item_number=item.id)
    assert waiting_items(now=NOW) == (item.id,)
    item.refresh_from_db()
    assert item.history_complete


def test_trouble_is_kept_with_the_item(company: CompanyRef, item: PlaidItem) -> None:
    assert act(company, "ITEM", "ERROR", error={"error_code": "ITEM_LOGIN_REQUIRED"}) == PlaidDelivery()
    item.refresh_from_db()
    assert (item.silent, item.trouble) == (True, "ITEM_LOGIN_REQUIRED")


@pytest.mark.parametrize(
    ("kind", "code"), [("TRANSACTIONS", "SYNC_UPDATES_AVAILABLE"), ("ITEM", "ERROR"), ("ITEM", "LOGIN_REPAIRED")]
)
def test_a_strangers_item_is_ignored(company: CompanyRef, item: PlaidItem, kind: str, code: str) -> None:
    assert act(company, kind, code, "item-of-somebody") == PlaidDelivery(ignored=STRANGER)


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"{}"])
def test_a_signed_body_that_is_none_waits_for_a_person(company: CompanyRef, body: bytes) -> None:
    with pytest.raises(UnreadableWebhook):
        act_on_delivery(company_id=company.id, body=body, now=NOW)


def test_all_documented_webhooks_are_acted_on_or_ignored_for_a_reason(
    company: CompanyRef, shared_data: Path
) -> None:
    documented = json.loads((shared_data / "plaid-sync" / "webhook_examples.json").read_text())
    for name, examples in documented.items():
        for body in examples.values():
            done = act_on_delivery(company_id=company.id, body=json.dumps(body).encode(), now=NOW)
            # None of their items is ours.
            assert done.ignored, name


def test_a_sealed_text_shows_nothing_and_opens_with_the_key_only(settings: object) -> None:
    sealed = seal("access-sandbox-1")
    assert b"access" not in sealed
    assert unseal(sealed) == "access-sandbox-1"
    old = settings.SECRET_KEY  # type: ignore[attr-defined]
    settings.SECRET_KEY = "another-key-0123456789-0123456789-0123456789"  # type: ignore[attr-defined]
    with pytest.raises(CannotOpen):
        unseal(sealed)
    settings.SECRET_KEY_FALLBACKS = [old]  # type: ignore[attr-defined]
    assert unseal(sealed) == "access-sandbox-1"
