"""Accounts that come into being because an event names them."""

from collections.abc import Iterable
from datetime import datetime

from ledger.domain.account import kind_of_account
from ledger.domain.event import EventDraft
from ledger.models.account import Account
from ledger.selectors.books import Books, read_books


def with_new_accounts(books: Books, drafts: Iterable[EventDraft], *, company_id: int, now: datetime) -> Books:
    """Make the accounts that drafts name and that are not there, their kind told by the beginning of the name.

    Returns:
        The books with them. A name that tells no kind makes no account.
    """
    missing: dict[str, str] = {}
    for draft in drafts:
        if draft.account is not None and draft.account not in books.accounts:
            missing.setdefault(draft.account, draft.currency)
    kinds = {name: kind for name in missing if (kind := kind_of_account(name)) is not None}
    if not kinds:
        return books
    # In the order of their names, so that two imports of the same file wait for each other.
    Account.objects.bulk_create(
        [
            Account(
                company_id=company_id,
                name=name,
                kind=kinds[name],
                currency=missing[name],
                timezone=books.timezone,
                created_at=now,
            )
            for name in sorted(kinds)
        ],
        ignore_conflicts=True,
    )
    return read_books(company_id=company_id)
