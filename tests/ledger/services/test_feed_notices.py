"""What news about a feed set in motion."""

import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ledger.domain.company import CompanyRef
from ledger.domain.intake import FeedNotice, FeedState
from ledger.models.plaid import PlaidItem
from ledger.providers.plaid import PROVIDER
from ledger.providers.provider import ParseContext, Unreadable
from ledger.services.feed_notices import Followed, follow_notices
from ledger.services.plaid_queue import waiting_items
from ledger.services.sealed_secrets import seal

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
CONTEXT = ParseContext(
    accounts={}, settings={}, headers={}, currency="USD", timezone=ZoneInfo("UTC"), received_at=NOW
)


@pytest.fixture
def item(company: CompanyRef) -> PlaidItem:
    return PlaidItem.objects.create(
        company_id=company.id, item_id="item-1", access_token=seal("t"), created_at=NOW, synced_at=NOW
    )


def act(company: CompanyRef, kind: str, code: str, item_id: str = "item-1", **more: object) -> Followed:
    body = {"webhook_type": kind, "webhook_code": code, "item_id": item_id, **more}
    said = PROVIDER.parse(json.dumps(body).encode(), CONTEXT)
    return follow_notices(company_id=company.id, notices=said.notices, now=NOW)


def test_news_let_the_item_be_read(company: CompanyRef, item: PlaidItem) -> None:
    done = act(company, "TRANSACTIONS", "SYNC_UPDATES_AVAILABLE", historical_update_complete=True)

    assert done == Followed(items=(item.id,), strangers=())
    assert waiting_items(now=NOW) == (item.id,)
    item.refresh_from_db()
    assert item.history_complete


def test_trouble_is_kept_with_the_item(company: CompanyRef, item: PlaidItem) -> None:
    assert act(company, "ITEM", "ERROR", error={"error_code": "ITEM_LOGIN_REQUIRED"}) == Followed((), ())
    item.refresh_from_db()
    assert (item.silent, item.trouble) == (True, "ITEM_LOGIN_REQUIRED")


def test_a_repaired_feed_is_read(company: CompanyRef, item: PlaidItem) -> None:
    PlaidItem.objects.update(silent=True, trouble="x")
    assert act(company, "ITEM", "LOGIN_REPAIRED").items == (item.id,)
    item.refresh_from_db()
    assert (item.silent, item.trouble) == (False, "")


@pytest.mark.parametrize("state", list(FeedState))
def test_a_strangers_item_is_named_and_left_alone(company: CompanyRef, item: PlaidItem, state: FeedState) -> None:
    notices = [FeedNotice("item-of-somebody", state)]
    done = follow_notices(company_id=company.id, notices=notices, now=NOW)
    assert done == Followed((), ("item-of-somebody",))


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"{}", b"7"])
def test_a_signed_body_that_is_none_waits_for_a_person(body: bytes) -> None:
    with pytest.raises(Unreadable):
        PROVIDER.parse(body, CONTEXT)


def test_all_documented_webhooks_are_acted_on_or_ignored_for_a_reason(shared_data: Path) -> None:
    documented = json.loads((shared_data / "plaid-sync" / "webhook_examples.json").read_text())
    for name, examples in documented.items():
        for body in examples.values():
            said = PROVIDER.parse(json.dumps(body).encode(), CONTEXT)
            assert bool(said.ignored) != bool(said.notices), name
            assert said.events == ()
