"""Connecting a bank through Plaid."""

import re
from collections.abc import Mapping
from datetime import datetime

from django.db import IntegrityError, transaction

from ledger.models.account import CASH_KINDS, Account
from ledger.models.plaid import PlaidAccount, PlaidItem
from ledger.providers.plaid_api import PlaidClient, PlaidRefused
from ledger.providers.plaid_transactions import read_accounts
from ledger.services.sealed_secrets import seal

_ITEM_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")


class InvalidPlaidItem(ValueError):
    """A bank that cannot be connected; the message says why."""


def connect_plaid_item(
    *,
    company_id: int,
    item_id: str,
    access_token: str,
    accounts: Mapping[str, str],
    client: PlaidClient,
    now: datetime,
) -> int:
    """Connect an item, or give a connected one its new access token; return its number, for the job that reads it.

    Args:
        accounts: {Plaid's account_id: name of a cash account of ours}; the others get new accounts of their own.

    Raises:
        InvalidPlaidItem: Plaid does not know the token, the item is another company's, or an account is unknown.
        Unavailable: Plaid does not answer (`ledger.providers.http`).
    """
    if _ITEM_ID.fullmatch(item_id) is None or not access_token.strip():
        raise InvalidPlaidItem("an item id and an access token are needed")
    try:
        answer = client.accounts(access_token=access_token)
    except PlaidRefused as error:
        raise InvalidPlaidItem(f"Plaid refused the access token: {error}") from None
    stated = answer.get("item")
    if not isinstance(stated, dict) or stated.get("item_id") != item_id:
        raise InvalidPlaidItem("the access token belongs to another item")
    offered = {found.account_id: found for found in read_accounts(answer)}
    with transaction.atomic():
        try:
            item, _ = PlaidItem.objects.update_or_create(
                item_id=item_id,
                company_id=company_id,
                defaults={
                    "access_token": seal(access_token.strip()),
                    "wanted_at": now,
                    "silent": False,
                    "trouble": "",
                    "retry_at": None,
                },
                create_defaults={"access_token": seal(access_token.strip()), "wanted_at": now, "created_at": now},
            )
        except IntegrityError:
            raise InvalidPlaidItem("the item is connected to another company") from None
        for plaid_id, name in accounts.items():
            found = offered.get(plaid_id)
            if found is None or found.kind is None:
                raise InvalidPlaidItem(f"{plaid_id} is no cash account of the item")
            own = Account.objects.filter(company_id=company_id, name=name, kind__in=CASH_KINDS).first()
            if own is None:
                raise InvalidPlaidItem(f"{name} is no cash account of the company")
            mapped, made = PlaidAccount.objects.get_or_create(
                company_id=company_id,
                item=item,
                plaid_id=plaid_id,
                defaults={"type": found.type[:64], "account": own},
            )
            if not made and mapped.account_id != own.id:
                raise InvalidPlaidItem(f"{plaid_id} is recorded to another account already")
    return item.id
