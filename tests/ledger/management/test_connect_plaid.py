"""`connect_plaid`: a bank is connected once Plaid itself confirms the token."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from ledger.domain.company import CompanyRef
from ledger.models.plaid import PlaidAccount, PlaidItem
from ledger.services.sealed_secrets import unseal
from tests.ledger.conftest import open_company
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
)


@pytest.fixture
def plaid(settings: Any, empty_redis: Any) -> Iterator[PlaidServer]:
    with outside_server() as outside:
        settings.PLAID_BASE_URL, settings.PLAID_CLIENT_ID, settings.PLAID_SECRET = outside.url, CLIENT_ID, SECRET
        server = PlaidServer(outside)
        answer = {"accounts": [CHECKING, CARD], "item": {"item_id": ITEM}}
        outside.on("/accounts/get", Reply(200, answer))
        yield server


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Any:
    def connect(*arguments: str) -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{ACCESS_TOKEN}\n"))
        out = io.StringIO()
        call_command("connect_plaid", "acme", *arguments, stdout=out)
        return out.getvalue()

    return connect


def test_it_keeps_the_token_sealed_and_maps_accounts(
    company: CompanyRef, plaid: PlaidServer, connect: Any
) -> None:
    said = connect(ITEM, "--account", f"{CHECKING['account_id']}=bank")

    item = PlaidItem.objects.get()
    assert unseal(bytes(item.access_token)) == ACCESS_TOKEN
    assert ACCESS_TOKEN.encode() not in bytes(item.access_token)
    assert item.wanted_at is not None
    assert PlaidAccount.objects.get().account.name == "bank"
    assert ACCESS_TOKEN not in said
    # Again, e.g. with a new token: nothing is doubled.
    connect(ITEM)
    assert PlaidItem.objects.count() == 1


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("another-item",), "another item"),
        ((ITEM, "--account", "nobody=bank"), "no cash account of the item"),
        ((ITEM, "--account", f"{CHECKING['account_id']}=nowhere"), "no cash account of the company"),
        ((ITEM, "--account", "x"), "PLAID_ACCOUNT_ID=NAME"),
    ],
)
def test_it_refuses_with_a_reason_and_keeps_nothing(
    company: CompanyRef, plaid: PlaidServer, connect: Any, arguments: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(CommandError, match=reason):
        connect(*arguments)
    assert PlaidItem.objects.count() == 0


def test_a_token_that_plaid_refuses_is_not_kept(company: CompanyRef, plaid: PlaidServer, connect: Any) -> None:
    plaid.outside.on("/accounts/get", plaid_error("INVALID_ACCESS_TOKEN", "INVALID_INPUT"))
    with pytest.raises(CommandError, match="INVALID_ACCESS_TOKEN"):
        connect(ITEM)


def test_an_item_of_another_company_is_not_taken_over(
    company: CompanyRef, plaid: PlaidServer, connect: Any
) -> None:
    other = open_company("other")
    PlaidItem.objects.create(company_id=other.id, item_id=ITEM, access_token=b"x", created_at="2026-01-01T00:00Z")
    with pytest.raises(CommandError, match="another company"):
        connect(ITEM)
