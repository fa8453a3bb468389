"""A walk through a bank's news: whole or not at all, each transaction once, whatever Plaid does meanwhile."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from ledger.domain.company import CompanyRef
from ledger.domain.intake import Fate
from ledger.models.account import Account
from ledger.models.event import CapitalEvent, ExternalObject
from ledger.models.plaid import PlaidAccount, PlaidItem, PlaidRefusal
from ledger.models.statement import BalanceStatement
from ledger.providers.plaid_api import PlaidClient
from ledger.services import plaid_rows, plaid_sync
from ledger.services.plaid_queue import LEASE, note_repair, note_trouble, request_sync, waiting_items
from ledger.services.plaid_sync import Walked, walk
from ledger.services.reverse import reverse
from ledger.services.sealed_secrets import seal
from tests.ledger.providers.outside_server import Reply, outside_server
from tests.ledger.providers.plaid_server import (
    ACCESS_TOKEN,
    CARD,
    CHECKING,
    CLIENT_ID,
    ITEM,
    SECRET,
    PlaidServer,
    plaid_error,
    row,
)

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
MUTATION = plaid_error("TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION", "TRANSACTIONS_ERROR")
Walk = Callable[..., Walked]


@pytest.fixture
def plaid() -> Iterator[PlaidServer]:
    with outside_server() as outside:
        yield PlaidServer(outside)


@pytest.fixture
def item(company: CompanyRef) -> PlaidItem:
    return PlaidItem.objects.create(
        company_id=company.id, item_id=ITEM, access_token=seal(ACCESS_TOKEN), created_at=NOW
    )


@pytest.fixture
def walk_on(plaid: PlaidServer, item: PlaidItem) -> Walk:
    def walk_on(*, now: datetime = NOW) -> Walked:
        client = PlaidClient(base_url=plaid.url, client_id=CLIENT_ID, secret=SECRET)
        walked = walk(item_number=item.id, client=client, clock=lambda: now)
        item.refresh_from_db()
        return walked

    return walk_on


def net() -> Decimal:
    """What left the account, over all events and their reversals."""
    signed = [e.amount if e.direction == "out" else -e.amount for e in CapitalEvent.objects.all()]
    return sum(signed, Decimal(0))


def standing() -> dict[str, Decimal]:
    return {thing.external_ref: thing.amount for thing in ExternalObject.objects.filter(reversed=False)}


def test_it_records_all_pages_and_then_only_what_is_new(
    plaid: PlaidServer, item: PlaidItem, walk_on: Walk
) -> None:
    plaid.page(row("a", 10), row("b", -25.5))
    plaid.page(row("c", 0.01))

    walked = walk_on()

    assert (walked.status, walked.pages, walked.outcome.count(Fate.RECORDED)) == ("recorded", 2, 3)
    assert item.cursor == "2"
    assert net() == Decimal("-15.49")
    plaid.page(row("d", 5))
    assert walk_on().outcome.count(Fate.RECORDED) == 1
    assert [asked.json.get("cursor") for asked in plaid.outside.asked_for("/transactions/sync")] == [
        None,
        "1",
        "2",
    ]


def test_it_makes_accounts_by_plaids_type_and_none_for_a_loan(plaid: PlaidServer, walk_on: Walk) -> None:
    loan = {"account_id": "loan", "type": "loan", "name": "Student Loan", "balances": {"current": 65262}}
    plaid.accounts = [CHECKING, CARD, loan]
    plaid.page(row("a", 30, account_id=CARD["account_id"]), row("l", 5, account_id="loan"))

    walk_on()

    made = Account.objects.exclude(name="bank").values_list("name", "kind", "currency", "timezone")
    assert set(made) == {
        ("bank-plaid-checking-0000", "bank", "USD", "America/New_York"),
        ("card-plaid-credit-card-3333", "card", "USD", "America/New_York"),
    }
    assert PlaidAccount.objects.get(plaid_id="loan").account is None
    assert standing() == {"a": Decimal(30)}
    # The loan's row is kept, with the reason.
    assert "holds no cash" in PlaidRefusal.objects.get(transaction_id="l").reason


def test_balances_are_stated_and_a_cards_is_negative(plaid: PlaidServer, walk_on: Walk) -> None:
    plaid.accounts = [CHECKING, CARD]
    walk_on()

    stated = BalanceStatement.objects.values_list("account__name", "amount", "as_of", "origin")
    assert set(stated) == {
        ("bank-plaid-checking-0000", Decimal("110.5"), NOW, "plaid"),
        ("card-plaid-credit-card-3333", Decimal(-410), NOW, "plaid"),
    }


@pytest.mark.parametrize("name", ["Stripe_main", "-stripe", "Stripe EUR"])
def test_a_processors_payout_is_known_by_the_first_word_of_its_account(
    plaid: PlaidServer, company: CompanyRef, walk_on: Walk, name: str
) -> None:
    Account.objects.create(
        company_id=company.id, name=name, kind="processor", currency="USD", timezone="UTC", created_at=NOW
    )
    plaid.page(row("a", -950, merchant_name=None, name="STRIPE TRANSFER ST-X1"))

    assert walk_on().status == "recorded"
    assert CapitalEvent.objects.get().event_type == "transfer"


def test_an_account_named_without_a_word_stops_no_walk(
    plaid: PlaidServer, company: CompanyRef, walk_on: Walk
) -> None:
    Account.objects.create(
        company_id=company.id, name="--", kind="processor", currency="USD", timezone="UTC", created_at=NOW
    )
    plaid.page(row("a", 950))

    assert walk_on().outcome.count(Fate.RECORDED) == 1


def test_a_pending_row_counts_once_it_posts(plaid: PlaidServer, walk_on: Walk) -> None:
    plaid.page(row("p", 20, pending=True))
    assert walk_on().pending == 1
    assert net() == 0

    plaid.page(row("t", 24, pending_transaction_id="p"), removed=["p"])
    walk_on()

    assert standing() == {"t": Decimal(24)}
    assert net() == 24
    assert CapitalEvent.objects.count() == 1


def test_a_modified_row_is_corrected_and_ends_where_plaid_ends(plaid: PlaidServer, walk_on: Walk) -> None:
    for amount in (10, 11, 10):
        page: dict[str, Any] = {"modified": [row("a", amount)]} if plaid.pages else {}
        plaid.page(*([] if page else [row("a", amount)]), **page)
        walk_on()

    assert net() == 10
    assert CapitalEvent.objects.count() == 5
    assert ExternalObject.objects.get().revision == 2


def test_a_row_that_changes_its_sign_or_account_is_replaced(plaid: PlaidServer, walk_on: Walk) -> None:
    plaid.accounts = [CHECKING, CARD]
    plaid.page(row("a", 10), row("b", 5))
    walk_on()
    plaid.page(modified=[row("a", -10), row("b", 5, account_id=CARD["account_id"])])

    assert walk_on().outcome.count(Fate.CORRECTED) == 2
    assert net() == -10 + 5
    by_account = ExternalObject.objects.filter(reversed=False).values_list("external_ref", "account__name")
    assert dict(by_account)["b"] == "card-plaid-credit-card-3333"


def test_a_removed_row_is_reversed_and_may_come_back(plaid: PlaidServer, walk_on: Walk) -> None:
    plaid.page(row("a", 10))
    walk_on()
    plaid.page(removed=["a", "never-heard-of"])
    assert walk_on().outcome.count(Fate.TAKEN_BACK) == 1
    assert net() == 0

    plaid.page(row("a", 10))
    walk_on()
    assert net() == 10


def test_what_a_person_took_back_stays_so_when_plaid_repeats_it(
    plaid: PlaidServer, walk_on: Walk, company: CompanyRef
) -> None:
    plaid.page(row("a", 10))
    walk_on()
    event_id = bytes(CapitalEvent.objects.get().event_id).hex()
    reverse(company_id=company.id, event_id=event_id, reason="not ours", actor="cfo@example.com", now=NOW)

    plaid.page(modified=[row("a", 10)])

    assert walk_on().outcome.count(Fate.DUPLICATE) == 1
    assert net() == 0


def test_the_last_word_of_a_walk_counts(plaid: PlaidServer, walk_on: Walk) -> None:
    plaid.page(row("a", 10), row("b", 7))
    plaid.page(modified=[row("a", 12)], removed=["b"])

    walk_on()

    assert standing() == {"a": Decimal(12)}
    assert CapitalEvent.objects.count() == 1


def test_a_mutation_while_paging_restarts_from_the_first_cursor(
    plaid: PlaidServer, item: PlaidItem, walk_on: Walk
) -> None:
    plaid.page(row("old", 1))
    walk_on()
    plaid.page(row("gone-by-then", 99))
    plaid.page(row("b", 2))

    def mutate() -> None:
        # Plaid forgets the first page: nobody will ever be told to remove its row.
        plaid.pages[1] = {"added": [row("a", 3)], "modified": [], "removed": []}

    serve = plaid.sync
    answered = []

    def sync(asked: Any) -> Any:
        answered.append(asked.json.get("cursor"))
        if len(answered) == 2:
            mutate()
            return MUTATION
        return serve(asked)

    plaid.outside.on("/transactions/sync", sync)

    walk_on()

    assert answered == ["1", "2", "1", "2"]
    assert standing() == {"old": Decimal(1), "a": Decimal(3), "b": Decimal(2)}
    assert item.cursor == "3"


def test_endless_mutation_backs_off_and_records_nothing(
    plaid: PlaidServer, item: PlaidItem, walk_on: Walk
) -> None:
    plaid.page(row("a", 1))
    plaid.errors = [MUTATION] * plaid_sync.MAX_RESTARTS

    assert walk_on().status == "waiting"
    assert (item.cursor, CapitalEvent.objects.count()) == ("", 0)
    assert item.retry_at is not None
    assert item.retry_at > NOW


def test_a_failure_on_the_last_page_records_nothing_of_the_first(
    plaid: PlaidServer, item: PlaidItem, walk_on: Walk
) -> None:
    plaid.page(row("a", 1))
    plaid.page(row("b", 2))
    plaid.errors = [None, plaid_error("INTERNAL_SERVER_ERROR", "API_ERROR", 500)]

    assert walk_on().status == "waiting"
    assert (item.cursor, CapitalEvent.objects.count()) == ("", 0)
    assert walk_on(now=NOW + timedelta(minutes=1)).outcome.count(Fate.RECORDED) == 2


def test_cursor_and_rows_are_one_transaction(
    plaid: PlaidServer, item: PlaidItem, walk_on: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    plaid.page(row("a", 1))

    def fail(*args: object, **named: object) -> None:
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as broken:
        # Fails after the rows were written, before the cursor moves.
        broken.setattr(plaid_rows, "_keep_refusals", fail)
        with pytest.raises(RuntimeError, match="disk"):
            walk_on()
    item.refresh_from_db()
    assert (item.cursor, CapitalEvent.objects.count(), item.claimed_at) == ("", 0, None)
    assert walk_on().outcome.count(Fate.RECORDED) == 1


def test_rate_limits_wait_as_long_as_plaid_asks(plaid: PlaidServer, item: PlaidItem, walk_on: Walk) -> None:
    plaid.page(row("a", 1))
    limited = plaid_error("TRANSACTIONS_LIMIT", "RATE_LIMIT_EXCEEDED", 429, **{"Retry-After": "120"})
    plaid.errors = [limited]

    assert walk_on().status == "waiting"
    assert item.retry_at == NOW + timedelta(seconds=120)
    assert walk_on(now=NOW + timedelta(seconds=119)).status == "nothing to do"
    assert waiting_items(now=NOW + timedelta(seconds=121)) == (item.id,)
    assert walk_on(now=NOW + timedelta(seconds=121)).outcome.count(Fate.RECORDED) == 1
    assert (item.failures, item.retry_at, item.wanted_at) == (0, None, None)


def test_pauses_grow_and_end_at_an_hour(plaid: PlaidServer, item: PlaidItem, walk_on: Walk) -> None:
    now = NOW
    for _ in range(12):
        plaid.errors = [plaid_error("INTERNAL_SERVER_ERROR", "API_ERROR", 500)]
        walk_on(now=now)
        assert item.retry_at is not None
        pause = (item.retry_at - now).total_seconds()
        assert pause <= 3600
        now = item.retry_at
    assert pause >= 1800


def test_a_lost_sign_in_silences_the_feed_and_a_repair_reads_on(
    plaid: PlaidServer, item: PlaidItem, walk_on: Walk, company: CompanyRef
) -> None:
    plaid.page(row("a", 1))
    plaid.errors = [plaid_error("ITEM_LOGIN_REQUIRED", "ITEM_ERROR")]

    assert walk_on().status == "silent"
    assert (item.silent, item.trouble) == (True, "ITEM_LOGIN_REQUIRED: about ITEM_LOGIN_REQUIRED")
    assert waiting_items(now=NOW + timedelta(days=1)) == ()

    assert note_repair(company_id=company.id, item_id=ITEM, now=NOW) == item.id
    assert waiting_items(now=NOW) == (item.id,)
    walk_on()
    assert (item.silent, item.trouble, net()) == (False, "", 1)


def test_a_warning_does_not_end_a_silence(item: PlaidItem, company: CompanyRef) -> None:
    assert note_trouble(company_id=company.id, item_id=ITEM, silent=True, reason="ITEM_LOGIN_REQUIRED")
    assert note_trouble(company_id=company.id, item_id=ITEM, silent=False, reason="PENDING_EXPIRATION")
    item.refresh_from_db()
    assert (item.silent, item.trouble) == (True, "ITEM_LOGIN_REQUIRED")


def test_items_of_strangers_are_not_ours(item: PlaidItem, company: CompanyRef) -> None:
    assert request_sync(company_id=company.id, item_id="another", complete=True, now=NOW) is None
    assert request_sync(company_id=company.id + 1, item_id=ITEM, complete=True, now=NOW) is None
    assert not note_trouble(company_id=company.id + 1, item_id=ITEM, silent=True, reason="x")
    item.refresh_from_db()
    assert (item.wanted_at, item.silent) == (None, False)


def test_wrong_credentials_of_ours_silence_with_the_reason(
    plaid: PlaidServer, item: PlaidItem, walk_on: Walk
) -> None:
    PlaidItem.objects.update(access_token=seal("access-of-somebody-else"))
    assert walk_on().status == "silent"
    assert item.trouble.startswith("INVALID_ACCESS_TOKEN")


def test_a_token_sealed_under_another_key_is_named(item: PlaidItem, walk_on: Walk, settings: Any) -> None:
    settings.SECRET_KEY = "another-secret-key-0123456789-0123456789-0123456789"
    assert walk_on().status == "silent"
    assert "SECRET_KEY" in item.trouble


def test_rows_without_an_official_currency_are_kept_and_the_others_recorded(
    plaid: PlaidServer, item: PlaidItem, walk_on: Walk
) -> None:
    odd = row("odd", 3.5, iso_currency_code=None, unofficial_currency_code="AMEX_POINTS")
    plaid.page(odd, row("a", 1))

    walked = walk_on()

    assert walked.outcome.count(Fate.RECORDED) == 1
    refusal = PlaidRefusal.objects.get()
    assert (refusal.transaction_id, refusal.row["amount"]) == ("odd", "3.5")
    assert "currency" in refusal.reason
    # Plaid learns the currency: the refusal is settled by the row itself.
    plaid.page(modified=[row("odd", 3.5)])
    walk_on()
    refusal.refresh_from_db()
    assert refusal.settled_at == NOW
    assert net() == Decimal("4.5")


def test_a_refused_row_is_tried_again_unless_something_newer_is_recorded(
    plaid: PlaidServer, item: PlaidItem, walk_on: Walk
) -> None:
    plaid.page(row("x", 3.5, iso_currency_code="XYZ"), row("y", 2, iso_currency_code="XYZ"))
    walk_on()
    assert PlaidRefusal.objects.filter(settled_at=None).count() == 2
    for refusal in PlaidRefusal.objects.all():
        PlaidRefusal.objects.filter(id=refusal.id).update(row={**refusal.row, "iso_currency_code": "USD"})

    out = StringIO()
    call_command("replay_deliveries", "--company=acme", "--provider=plaid", "--json", stdout=out)
    assert json.loads(out.getvalue())["rows"] == 2
    assert PlaidRefusal.objects.filter(settled_at=None).count() == 0
    assert net() == Decimal("5.5")


def test_two_workers_do_not_walk_the_same_item(plaid: PlaidServer, item: PlaidItem, walk_on: Walk) -> None:
    PlaidItem.objects.update(claimed_at=NOW)
    assert walk_on().status == "nothing to do"
    # A worker that died is followed by another.
    assert walk_on(now=NOW + LEASE + timedelta(seconds=1)).status == "recorded"


def test_news_during_a_walk_wait_for_the_next(plaid: PlaidServer, item: PlaidItem, company: CompanyRef) -> None:
    class Interrupted(PlaidClient):
        def sync_page(self, *, access_token: str, cursor: str) -> Any:
            page = super().sync_page(access_token=access_token, cursor=cursor)
            request_sync(company_id=company.id, item_id=ITEM, complete=False, now=NOW + timedelta(seconds=2))
            return page

    request_sync(company_id=company.id, item_id=ITEM, complete=False, now=NOW - timedelta(seconds=1))
    times = iter([NOW, NOW + timedelta(seconds=5)])
    client = Interrupted(base_url=plaid.url, client_id=CLIENT_ID, secret=SECRET)

    assert walk(item_number=item.id, client=client, clock=lambda: next(times)).status == "recorded"
    assert waiting_items(now=NOW + timedelta(seconds=6)) == (item.id,)


def test_a_feed_without_webhooks_is_looked_at_anyway(plaid: PlaidServer, item: PlaidItem, walk_on: Walk) -> None:
    walk_on()
    assert waiting_items(now=NOW + timedelta(hours=11)) == ()
    assert waiting_items(now=NOW + timedelta(hours=13)) == (item.id,)


@pytest.mark.parametrize(
    "content",
    [
        {"added": [], "modified": [], "removed": [], "has_more": True, "next_cursor": ""},
        {"added": [], "modified": [], "removed": [], "has_more": False},
        {"added": "x", "modified": [], "removed": [], "next_cursor": "1"},
        {"next_cursor": "1"},
    ],
)
def test_a_page_that_is_none_silences_the_feed_and_records_nothing(
    plaid: PlaidServer, item: PlaidItem, walk_on: Walk, content: dict[str, Any]
) -> None:
    plaid.outside.on("/transactions/sync", Reply(200, content))
    assert walk_on().status == "silent"
    assert item.cursor == ""


def test_a_repeated_cursor_records_nothing_twice(plaid: PlaidServer, item: PlaidItem, walk_on: Walk) -> None:
    plaid.page(row("a", 10), row("b", -3))
    walk_on()
    PlaidItem.objects.update(cursor="")

    assert walk_on().outcome.count(Fate.DUPLICATE) == 2
    assert net() == 7


def test_the_documented_page_is_recorded(plaid: PlaidServer, walk_on: Walk, shared_data: Path) -> None:
    plaid.serve_documented_page(shared_data)

    walked = walk_on()

    assert (walked.outcome.count(Fate.RECORDED), walked.pending) == (1, 1)
    assert standing() == {"lPNjeW1nR6CDn5okmGQ6hEpMo4lLNoSrzqDje": Decimal("72.1")}
    assert BalanceStatement.objects.get().amount == Decimal("110.94")
