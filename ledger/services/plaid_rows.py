"""What Plaid's rows become: events under one transaction with the walk that brought them; refused ones wait."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import QuerySet

from ledger.domain.intake import Fate
from ledger.domain.problems import FieldProblem
from ledger.models.account import Account, AccountKind
from ledger.models.company import Company
from ledger.models.plaid import PlaidAccount, PlaidItem, PlaidRefusal, PlaidWalk
from ledger.providers.plaid_transactions import (
    SOURCE,
    FoundAccount,
    OwnAccount,
    OwnWallets,
    account_name,
    first_word,
    read_page,
    stated_balances,
)
from ledger.services.provenance import CameBy
from ledger.services.record_intake import IntakeOutcome, Item, ReadIntake, read_intake, record_intake
from ledger.services.transient import try_again

ACTOR = "plaid"
LABEL = "Plaid"
# What is kept of a transaction that Plaid took back, when that was refused.
REMOVAL = {"removed": True}


@dataclass(frozen=True, slots=True)
class SaidRows:
    """Rows of an item, read.

    Attributes:
        rows: by transaction id, as Plaid sent them; of a removed one what is kept when its removal is refused.
        strange: rows that cannot be events, with the reason.
    """

    rows: Mapping[str, Mapping[str, Any]]
    strange: Sequence[tuple[Mapping[str, Any], str]]
    read: ReadIntake


def read_rows(
    item: PlaidItem,
    rows: Mapping[str, Mapping[str, Any]],
    removed: Sequence[str],
    found: Iterable[FoundAccount],
    now: datetime,
) -> SaidRows:
    """Return what rows say; the months of their events are made."""
    own = _own_accounts(item)
    page = read_page(_as_page(rows.values(), removed), accounts=own, wallets=_wallets(item.company_id))
    intake = replace(page.intake, balances=stated_balances(found, accounts=own, now=now))
    kept = {**rows, **dict.fromkeys(removed, REMOVAL)}
    return SaidRows(kept, page.strange, read_intake(intake, now=now))


def record_rows(item: PlaidItem, said: SaidRows, *, pages: int, pending: int, now: datetime) -> IntakeOutcome:
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
            said = read_rows(item, rows, removed, (), now)
            return record_rows(item, said, pages=0, pending=0, now=now)

    return try_again(write)


def items_with_refused_rows(*, company_id: int | None) -> tuple[int, ...]:
    """Return the banks of which rows wait because they were refused; of one company, or of all."""
    waiting = PlaidRefusal.objects.filter(settled_at=None)
    if company_id is not None:
        waiting = waiting.filter(company_id=company_id)
    return tuple(waiting.order_by("item_id").values_list("item_id", flat=True).distinct())


def _keep_refusals(item: PlaidItem, said: SaidRows, outcome: IntakeOutcome, now: datetime) -> None:
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


def take_accounts(item: PlaidItem, found: Iterable[FoundAccount], now: datetime) -> None:
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
    processors = (first_word(name) for kind, name in accounts if kind == AccountKind.PROCESSOR)
    return OwnWallets(
        has_card=any(kind == AccountKind.CARD for kind, _ in accounts),
        processors=frozenset(word for word in processors if word),
    )


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
