"""Reading a bank through Plaid: one walk of `/transactions/sync`, recorded as a whole or not at all."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F, Q, QuerySet

from ledger.domain.intake import ObjectKey, StatedBalance
from ledger.models.account import Account, AccountKind
from ledger.models.company import Company
from ledger.models.event import ExternalObject
from ledger.models.plaid import PlaidAccount, PlaidItem, PlaidRefusal
from ledger.providers.http import Unavailable
from ledger.providers.plaid_api import MutatedDuringPaging, PlaidClient, PlaidRefused
from ledger.providers.plaid_transactions import (
    SOURCE,
    FoundAccount,
    OwnAccount,
    OwnWallets,
    UnreadablePage,
    account_name,
    read_accounts,
    read_page,
    stated_balances,
)
from ledger.services.restate import Restated, make_months, restate
from ledger.services.sealed_secrets import SealBroken, unseal
from ledger.services.statements import InvalidStatement, state_balance

ACTOR = "plaid"
# 500 rows each; a walk is held in memory until it is whole.
MAX_PAGES = 400
MAX_RESTARTS = 5
# A walk takes seconds; whoever holds an item for this long is taken for dead.
LEASE = timedelta(minutes=15)
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 30, 3600
# Webhooks may be lost: look at least this often.
LONGEST_SILENCE = timedelta(hours=12)
MAX_SWEPT = 100


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
    restated: Restated = field(default_factory=Restated)


@dataclass(slots=True)
class _Gathered:
    """Everything between two cursors, the last word on each transaction."""

    cursor: str
    pages: int = 0
    found: dict[str, FoundAccount] = field(default_factory=dict)
    rows: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    removed: dict[str, None] = field(default_factory=dict)
    complete: bool = False


class TooLong(RuntimeError):
    """A walk of more pages than we hold in memory."""


def request_sync(*, company_id: int, item_id: str, complete: bool, now: datetime) -> int | None:
    """Note that there is something to read; return the item's number for the job, None for a stranger's item."""
    items = PlaidItem.objects.filter(company_id=company_id, item_id=item_id)
    # The latest wish stands: a walk that began before it may not have seen what it announced.
    items.update(wanted_at=now)
    if complete:
        items.update(history_complete=True)
    return items.values_list("id", flat=True).first()


def note_trouble(*, company_id: int, item_id: str, silent: bool, reason: str) -> bool:
    """Keep why a feed fell silent, or will; false for a stranger's item."""
    items = PlaidItem.objects.filter(company_id=company_id, item_id=item_id)
    if silent:
        return bool(items.update(silent=True, trouble=reason[:255]))
    # A warning does not end a silence.
    items.filter(silent=False).update(trouble=reason[:255])
    return items.exists()


def note_repair(*, company_id: int, item_id: str, now: datetime) -> int | None:
    """Let a feed speak again and read what happened meanwhile; None for a stranger's item."""
    PlaidItem.objects.filter(company_id=company_id, item_id=item_id).update(
        silent=False, trouble="", failures=0, retry_at=None
    )
    return request_sync(company_id=company_id, item_id=item_id, complete=False, now=now)


def waiting_items(*, now: datetime) -> tuple[int, ...]:
    """Numbers of the items that should be read now and that nobody is reading, longest waiting first."""
    overdue = Q(silent=False) & (Q(synced_at__lt=now - LONGEST_SILENCE) | Q(synced_at=None))
    due = Q(wanted_at__isnull=False) | overdue
    return tuple(_claimable(now).filter(due).order_by("wanted_at", "id").values_list("id", flat=True)[:MAX_SWEPT])


def wanted_items(*, company_id: int) -> tuple[int, ...]:
    """Numbers of a company's items that wait to be read."""
    waiting = PlaidItem.objects.filter(company_id=company_id, wanted_at__isnull=False)
    return tuple(waiting.order_by("wanted_at", "id").values_list("id", flat=True)[:MAX_SWEPT])


def walk(*, item_number: int, client: PlaidClient, clock: Callable[[], datetime]) -> Walked:
    """Read everything after the item's cursor, and record it together with the new cursor.

    Nothing is recorded before the last page is there: Plaid may change the transactions while they are paged
    through, and then a row of an abandoned walk may never be spoken of again.

    Two workers may race; one wins, and the other finds nothing to do.
    """
    now = clock()
    if not _claimable(now).filter(id=item_number).update(claimed_at=now):
        return Walked("nothing to do")
    item = PlaidItem.objects.select_related("company").get(id=item_number)
    try:
        gathered = _gather(item, client)
    except Unavailable as error:
        return _wait(item, error, clock())
    except (PlaidRefused, SealBroken, UnreadablePage, TooLong) as error:
        return _fall_silent(item, str(error))
    except BaseException:
        PlaidItem.objects.filter(id=item.id).update(claimed_at=None)
        raise
    try:
        return _keep(item, gathered, began_at=now, now=clock())
    finally:
        PlaidItem.objects.filter(id=item.id, claimed_at=now).update(claimed_at=None)


def retry_refused(*, item_number: int, now: datetime) -> Restated:
    """Try rows again that were refused, e.g. because a rate or an account was missing. Nothing older than what is
    recorded about a transaction comes back by this.
    """
    with transaction.atomic():
        item = PlaidItem.objects.select_related("company").select_for_update(of=("self",)).get(id=item_number)
        waiting = {refusal.transaction_id: refusal.row for refusal in _refusals(item).order_by("id")}
        known = ExternalObject.objects.filter(
            company_id=item.company_id, source=SOURCE, external_ref__in=list(waiting)
        ).values_list("external_ref", flat=True)
        rows = {name: _exact(row) for name, row in waiting.items() if name not in set(known)}
        return _record(item, rows, (), now)


def items_with_refused_rows(*, company_id: int | None) -> tuple[int, ...]:
    """Return the banks of which rows wait because they were refused; of one company, or of all."""
    waiting = PlaidRefusal.objects.filter(settled_at=None)
    if company_id is not None:
        waiting = waiting.filter(company_id=company_id)
    return tuple(waiting.order_by("item_id").values_list("item_id", flat=True).distinct())


def _claimable(now: datetime) -> QuerySet[PlaidItem]:
    free = Q(claimed_at=None) | Q(claimed_at__lt=now - LEASE)
    return PlaidItem.objects.filter(free, Q(retry_at=None) | Q(retry_at__lte=now))


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
        _take_accounts(item, gathered.found.values(), now)
    own = _own_accounts(item)
    page = _as_page(gathered.rows.values())
    make_months(read_page(page, accounts=own, wallets=_wallets(item.company_id)).intake.events, now=now)
    with transaction.atomic():
        unmoved = PlaidItem.objects.select_for_update().filter(id=item.id, cursor=item.cursor).first()
        if unmoved is None:
            return Walked("nothing to do", reason="somebody else moved the cursor")
        pending = sum(row.get("pending") is True for row in gathered.rows.values())
        restated = _record(item, gathered.rows, tuple(gathered.removed), now)
        _state(item.company_id, stated_balances(gathered.found.values(), accounts=own, now=now), now)
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
    return Walked("recorded", pages=gathered.pages, pending=pending, restated=restated)


def _record(
    item: PlaidItem, rows: Mapping[str, Mapping[str, Any]], removed: Sequence[str], now: datetime
) -> Restated:
    read = read_page(_as_page(rows.values()), accounts=_own_accounts(item), wallets=_wallets(item.company_id))
    gone = (*read.intake.removed, *(ObjectKey(SOURCE, transaction_id) for transaction_id in removed))
    restated = restate(company_id=item.company_id, events=read.intake.events, removed=gone, actor=ACTOR, now=now)
    refused = {
        str(read.intake.events[refusal.ordinal]["external_ref"]): str(refusal) for refusal in restated.refused
    }
    refused |= {str(row["transaction_id"]): reason for row, reason in read.strange}
    settled = [transaction_id for transaction_id in (*rows, *removed) if transaction_id not in refused]
    _refusals(item).filter(transaction_id__in=settled).update(settled_at=now)
    for transaction_id, reason in refused.items():
        PlaidRefusal.objects.update_or_create(
            company_id=item.company_id,
            item=item,
            transaction_id=transaction_id,
            defaults={
                "row": _plain(rows[transaction_id]),
                "reason": reason[:1000],
                "refused_at": now,
                "settled_at": None,
            },
        )
    return restated


def _as_page(rows: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
    return {"added": list(rows), "modified": [], "removed": []}


def _refusals(item: PlaidItem) -> QuerySet[PlaidRefusal]:
    """The rows of an item that still wait."""
    return PlaidRefusal.objects.filter(company_id=item.company_id, item=item, settled_at=None)


def _accounts(item: PlaidItem) -> QuerySet[PlaidAccount]:
    return PlaidAccount.objects.filter(company_id=item.company_id, item=item)


def _take_accounts(item: PlaidItem, found: Iterable[FoundAccount], now: datetime) -> None:
    """Give each account that is new a counterpart of ours; loans and investments get none."""
    known = set(_accounts(item).values_list("plaid_id", flat=True))
    # Two items of one company may both bring a `Checking 0000`.
    Company.objects.select_for_update().get(id=item.company_id)
    taken = set(Account.objects.filter(company_id=item.company_id).values_list("name", flat=True))
    for one in found:
        if one.account_id in known:
            continue
        account = None
        if one.kind is not None:
            name = account_name(one, taken=taken)
            taken.add(name)
            account = Account.objects.create(
                company_id=item.company_id,
                name=name,
                kind=one.kind,
                currency=one.currency or item.company.base_currency,
                timezone=item.company.timezone,
                created_at=now,
            )
        PlaidAccount.objects.create(
            company_id=item.company_id,
            item=item,
            plaid_id=one.account_id,
            type=one.type[:64],
            account=account,
        )


def _own_accounts(item: PlaidItem) -> dict[str, OwnAccount]:
    mapped = _accounts(item).filter(account__isnull=False).select_related("account")
    return {
        one.plaid_id: OwnAccount(
            name=one.account.name,
            kind=one.account.kind,
            currency=one.account.currency,
            timezone=ZoneInfo(one.account.timezone),
        )
        for one in mapped
        if one.account is not None
    }


def _wallets(company_id: int) -> OwnWallets:
    accounts = list(Account.objects.filter(company_id=company_id).values_list("kind", "name"))
    processors = [name for kind, name in accounts if kind == AccountKind.PROCESSOR]
    return OwnWallets(
        has_card=any(kind == AccountKind.CARD for kind, _ in accounts),
        processors=frozenset(name.lower().replace("_", "-").split("-")[0].split()[0] for name in processors),
    )


def _state(company_id: int, balances: Iterable[StatedBalance], now: datetime) -> None:
    for stated in balances:
        try:
            with transaction.atomic():
                state_balance(
                    company_id=company_id,
                    currency=stated.currency,
                    amount=stated.amount,
                    day=stated.day,
                    as_of=stated.as_of,
                    origin=SOURCE,
                    actor=ACTOR,
                    now=now,
                    account=stated.account,
                )
        except InvalidStatement:
            # An absurd balance must not keep the rows out.
            continue


def _wait(item: PlaidItem, error: Unavailable, now: datetime) -> Walked:
    pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(item.failures, 10))
    # Drawn at random, so that the items that failed together do not come back together.
    pause = max(random.uniform(pause / 2, pause), error.retry_after_seconds or 0)  # noqa: S311 - no secret
    PlaidItem.objects.filter(id=item.id).update(
        claimed_at=None, failures=F("failures") + 1, retry_at=now + timedelta(seconds=pause)
    )
    PlaidItem.objects.filter(id=item.id, wanted_at=None).update(wanted_at=now)
    return Walked("waiting", reason=str(error))


def _fall_silent(item: PlaidItem, reason: str) -> Walked:
    PlaidItem.objects.filter(id=item.id).update(claimed_at=None, silent=True, trouble=reason[:255], wanted_at=None)
    return Walked("silent", reason=reason)


def _plain(row: Any) -> Any:
    """As JSON stores it; numbers as text, so that none loses a digit."""
    if isinstance(row, dict):
        return {name.replace("\0", ""): _plain(value) for name, value in row.items()}
    if isinstance(row, list):
        return [_plain(value) for value in row]
    if isinstance(row, str):
        return row.replace("\0", "").encode("utf-8", "replace").decode()
    return row if row is None or isinstance(row, bool | int) else str(getattr(row, "text", row))


def _exact(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The amount of a stored row as it was read from Plaid's JSON."""
    amount = row.get("amount")
    try:
        return {**row, "amount": Decimal(amount)} if isinstance(amount, str) else row
    except InvalidOperation:
        return row
