"""Reading a bank through Plaid: one walk of `/transactions/sync`, recorded as a whole or not at all."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Coalesce

from ledger.models.plaid import PlaidItem
from ledger.providers.http import Unavailable
from ledger.providers.plaid_api import MutatedDuringPaging, PlaidClient, PlaidRefused
from ledger.providers.plaid_transactions import FoundAccount, OwnWallets, UnreadablePage, read_accounts, read_page
from ledger.services.plaid_queue import claimable
from ledger.services.plaid_rows import read_rows, record_rows, take_accounts
from ledger.services.record_intake import IntakeOutcome
from ledger.services.sealed_secrets import SealBroken, unseal
from ledger.services.transient import try_again

# 500 rows each; a walk is held in memory until it is whole.
MAX_PAGES = 400
MAX_RESTARTS = 5
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 30, 3600


@dataclass(frozen=True, slots=True)
class Walked:
    """What became of a walk.

    Attributes:
        status: recorded, waiting (Plaid did not answer: `retry_at` is set), silent, or nothing to do.
        pending: rows left out until they post.
    """

    status: str
    reason: str = ""
    pages: int = 0
    pending: int = 0
    outcome: IntakeOutcome = field(default_factory=IntakeOutcome)


@dataclass(slots=True)
class _Gathered:
    """Everything between two cursors, the last word on each transaction."""

    cursor: str
    pages: int = 0
    found: dict[str, FoundAccount] = field(default_factory=dict)
    rows: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    removed: dict[str, None] = field(default_factory=dict)
    complete: bool = False


OVERTAKEN = Walked("nothing to do", reason="another worker has taken over")


class TooLong(RuntimeError):
    """A walk of more pages than we hold in memory."""


def walk(*, item_number: int, client: PlaidClient, clock: Callable[[], datetime]) -> Walked:
    """Read everything after the item's cursor, and record it together with the new cursor.

    Nothing is recorded before the last page is there: Plaid may change the transactions while they are paged
    through, and then a row of an abandoned walk may never be spoken of again.

    Two workers may race; one wins, and the other finds nothing to do.
    """
    now = clock()
    if not claimable(now).filter(id=item_number).update(claimed_at=now):
        return Walked("nothing to do")
    item = PlaidItem.objects.select_related("company").get(id=item_number)
    try:
        gathered = _gather(item, client)
    except Unavailable as error:
        return _wait(item, error, clock())
    except (PlaidRefused, SealBroken, UnreadablePage, TooLong) as error:
        return _fall_silent(item, str(error))
    except BaseException:
        _mine(item).update(claimed_at=None)
        raise
    try:
        return _keep(item, gathered, began_at=now, now=clock())
    finally:
        _mine(item).update(claimed_at=None)


def _mine(item: PlaidItem) -> QuerySet[PlaidItem]:
    """The item, unless another worker has taken it over."""
    return PlaidItem.objects.filter(id=item.id, claimed_at=item.claimed_at)


def _gather(item: PlaidItem, client: PlaidClient) -> _Gathered:
    access_token = unseal(bytes(item.access_token))
    for _ in range(MAX_RESTARTS):
        try:
            gathered = _page_through(item.cursor, client, access_token)
        except MutatedDuringPaging:
            continue
        if not gathered.found:
            # Older API versions send no accounts with the rows.
            answer = client.accounts(access_token=access_token)
            gathered.found = {found.account_id: found for found in read_accounts(answer)}
        return gathered
    raise Unavailable("the transactions kept changing while they were read")


def _page_through(cursor: str, client: PlaidClient, access_token: str) -> _Gathered:
    gathered = _Gathered(cursor=cursor)
    while True:
        page = client.sync_page(access_token=access_token, cursor=gathered.cursor)
        gathered.pages += 1
        _add(gathered, page)
        following = page.get("next_cursor")
        if not isinstance(following, str) or len(following) > 512:
            raise UnreadablePage("next_cursor is missing")
        more = page.get("has_more") is True
        if more and following == gathered.cursor:
            raise UnreadablePage("next_cursor does not move, and has_more is true")
        gathered.cursor = following
        if not more:
            gathered.complete = page.get("transactions_update_status") == "HISTORICAL_UPDATE_COMPLETE"
            return gathered
        if gathered.pages >= MAX_PAGES:
            raise TooLong(f"more than {MAX_PAGES} pages in one walk")


def _add(gathered: _Gathered, page: Mapping[str, Any]) -> None:
    # Read once for its shape, before anything of it is taken over.
    read_page(page, accounts={}, wallets=OwnWallets())
    gathered.found |= {found.account_id: found for found in read_accounts(page)}
    for row in (*page["added"], *page["modified"]):
        gathered.rows[row["transaction_id"]] = row
        gathered.removed.pop(row["transaction_id"], None)
    for row in page["removed"]:
        gathered.rows.pop(row["transaction_id"], None)
        gathered.removed[row["transaction_id"]] = None


def _keep(item: PlaidItem, gathered: _Gathered, *, began_at: datetime, now: datetime) -> Walked:
    """Record rows and cursor in one transaction."""
    with transaction.atomic():
        take_accounts(item, gathered.found.values(), now)
    said = read_rows(item, gathered.rows, tuple(gathered.removed), gathered.found.values(), now)
    pending = sum(row.get("pending") is True for row in gathered.rows.values())

    def write() -> Walked:
        with transaction.atomic():
            unmoved = PlaidItem.objects.select_for_update().filter(id=item.id, cursor=item.cursor).first()
            if unmoved is None:
                return Walked("nothing to do", reason="somebody else moved the cursor")
            outcome = record_rows(item, said, pages=gathered.pages, pending=pending, now=now)
            PlaidItem.objects.filter(id=item.id).update(
                cursor=gathered.cursor,
                synced_at=now,
                failures=0,
                retry_at=None,
                silent=False,
                trouble="" if unmoved.silent else F("trouble"),
                history_complete=gathered.complete or unmoved.history_complete,
            )
            # What was announced while we were walking may not have been on our pages.
            PlaidItem.objects.filter(id=item.id, wanted_at__lte=began_at).update(wanted_at=None)
        return Walked("recorded", pages=gathered.pages, pending=pending, outcome=outcome)

    return try_again(write)


def _wait(item: PlaidItem, error: Unavailable, now: datetime) -> Walked:
    pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(item.failures, 10))
    # Drawn at random, so that the items that failed together do not come back together.
    pause = max(random.uniform(pause / 2, pause), error.retry_after_seconds or 0)  # noqa: S311 - no secret
    put_off = _mine(item).update(
        claimed_at=None,
        failures=F("failures") + 1,
        retry_at=now + timedelta(seconds=pause),
        wanted_at=Coalesce("wanted_at", Value(now)),
    )
    if not put_off:
        return OVERTAKEN
    return Walked("waiting", reason=str(error))


def _fall_silent(item: PlaidItem, reason: str) -> Walked:
    silenced = _mine(item).update(claimed_at=None, silent=True, trouble=reason[:255], wanted_at=None)
    if not silenced:
        return OVERTAKEN
    return Walked("silent", reason=reason)
