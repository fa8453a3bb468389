"""Reading a bank through Plaid: one walk of `/transactions/sync`, recorded as a whole or not at all."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from ledger.domain.intake import Fate
from ledger.domain.problems import FieldProblem
from ledger.models.account import Account, AccountKind
from ledger.models.company import Company
from ledger.models.plaid import PlaidAccount, PlaidItem, PlaidRefusal, PlaidWalk
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
from ledger.services.provenance import CameBy
from ledger.services.record_intake import IntakeOutcome, Item, ReadIntake, read_intake, record_intake
from ledger.services.sealed_secrets import SealBroken, unseal
from ledger.services.transient import try_again

ACTOR = "plaid"
LABEL = "Plaid"
# What is kept of a transaction that Plaid took back, when that was refused.
REMOVAL = {"removed": True}
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
        _mine(item).update(claimed_at=None)
        raise
    try:
        return _keep(item, gathered, began_at=now, now=clock())
    finally:
        _mine(item).update(claimed_at=None)


def retry_refused(*, item_number: int, now: datetime) -> IntakeOutcome:
    """Try rows again that were refused, e.g. because a rate or an account was missing or a month was closed.

    Nothing older than what is recorded about a transaction comes back by this: a newer word has settled the row.
    """
    item = PlaidItem.objects.select_related("company").get(id=item_number)

    def write() -> IntakeOutcome:
        with transaction.atomic():
            PlaidItem.objects.select_for_update().get(id=item_number)
            waiting = list(_refusals(item).order_by("id").values_list("transaction_id", "row"))
            rows = {name: _exact(row) for name, row in waiting if not _is_removal(row)}
            removed = [name for name, row in waiting if _is_removal(row)]
            said = _read(item, rows, removed, (), now)
            return _record(item, said, pages=0, pending=0, now=now)

    return try_again(write)


def items_with_refused_rows(*, company_id: int | None) -> tuple[int, ...]:
    """Return the banks of which rows wait because they were refused; of one company, or of all."""
    waiting = PlaidRefusal.objects.filter(settled_at=None)
    if company_id is not None:
        waiting = waiting.filter(company_id=company_id)
    return tuple(waiting.order_by("item_id").values_list("item_id", flat=True).distinct())


def _claimable(now: datetime) -> QuerySet[PlaidItem]:
    free = Q(claimed_at=None) | Q(claimed_at__lt=now - LEASE)
    return PlaidItem.objects.filter(free, Q(retry_at=None) | Q(retry_at__lte=now))


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
        _take_accounts(item, gathered.found.values(), now)
    said = _read(item, gathered.rows, tuple(gathered.removed), gathered.found.values(), now)
    pending = sum(row.get("pending") is True for row in gathered.rows.values())

    def write() -> Walked:
        with transaction.atomic():
            unmoved = PlaidItem.objects.select_for_update().filter(id=item.id, cursor=item.cursor).first()
            if unmoved is None:
                return Walked("nothing to do", reason="somebody else moved the cursor")
            outcome = _record(item, said, pages=gathered.pages, pending=pending, now=now)
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


@dataclass(frozen=True, slots=True)
class _Said:
    """Rows of an item, read.

    Attributes:
        rows: by transaction id, as Plaid sent them; of a removed one what is kept when its removal is refused.
        strange: rows that cannot be events, with the reason.
    """

    rows: Mapping[str, Mapping[str, Any]]
    strange: Sequence[tuple[Mapping[str, Any], str]]
    read: ReadIntake


def _read(
    item: PlaidItem,
    rows: Mapping[str, Mapping[str, Any]],
    removed: Sequence[str],
    found: Iterable[FoundAccount],
    now: datetime,
) -> _Said:
    """Return what rows say; the months of their events are made."""
    own = _own_accounts(item)
    page = read_page(_as_page(rows.values(), removed), accounts=own, wallets=_wallets(item.company_id))
    intake = replace(page.intake, balances=stated_balances(found, accounts=own, now=now))
    kept = {**rows, **dict.fromkeys(removed, REMOVAL)}
    return _Said(kept, page.strange, read_intake(intake, now=now))


def _record(item: PlaidItem, said: _Said, *, pages: int, pending: int, now: datetime) -> IntakeOutcome:
    walk = PlaidWalk.objects.create(
        company_id=item.company_id, item=item, ended_at=now, pages=pages, pending=pending
    )
    outcome = record_intake(
        company_id=item.company_id,
        read=said.read,
        origin=SOURCE,
        label=LABEL,
        stable_ids=True,
        actor=ACTOR,
        now=now,
        came_by=CameBy(walk_id=walk.pk),
    )
    strange = tuple(
        Item(("row", str(row["transaction_id"])), Fate.REJECTED, (FieldProblem("", reason),))
        for row, reason in said.strange
    )
    outcome = replace(outcome, items=(*outcome.items, *strange))
    PlaidWalk.objects.filter(pk=walk.pk).update(items=len(outcome.items), **outcome.counts())
    _keep_refusals(item, said, outcome, now)
    return outcome


def _keep_refusals(item: PlaidItem, said: _Said, outcome: IntakeOutcome, now: datetime) -> None:
    """Keep the rows that were refused, with the reason; what was refused before about the others is settled."""
    intake = said.read.intake
    names = [str(event["external_ref"]) for event in intake.events]
    names += [key.external_ref for key in intake.removed]
    refused = {
        name: _reason(entry.problems)
        for name, entry in zip(names, outcome.items, strict=False)
        if entry.fate == Fate.REJECTED
    }
    refused |= {str(row["transaction_id"]): reason for row, reason in said.strange}
    settled = [transaction_id for transaction_id in said.rows if transaction_id not in refused]
    _refusals(item).filter(transaction_id__in=settled).update(settled_at=now)
    for transaction_id, reason in refused.items():
        PlaidRefusal.objects.update_or_create(
            company_id=item.company_id,
            item=item,
            transaction_id=transaction_id,
            defaults={
                "row": _plain(said.rows[transaction_id]),
                "reason": reason[:1000],
                "refused_at": now,
                "settled_at": None,
            },
        )


def _reason(problems: Iterable[FieldProblem]) -> str:
    return "; ".join(f"{problem.field}: {problem.message}" for problem in problems)


def _is_removal(row: object) -> bool:
    return row == REMOVAL


def _as_page(rows: Iterable[Mapping[str, Any]], removed: Iterable[str]) -> Mapping[str, Any]:
    gone = [{"transaction_id": transaction_id} for transaction_id in removed]
    return {"added": list(rows), "modified": [], "removed": gone}


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
