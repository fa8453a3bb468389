"""A page of `/transactions/sync` as capital events: Plaid's sign, days and pending rows in our terms.

Pending rows are not recorded. Their amount, day and id change when they post (a tip, a hotel's deposit), the
posted row comes under another id, and a bank's balance counts posted rows only; so money counts once, on the day
it posts.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from ledger.domain.event import MAX_TEXT
from ledger.domain.intake import Intake, ObjectKey, StatedBalance
from ledger.domain.wall_clock import instant_at

SOURCE = "plaid"
KIND_BY_TYPE = {"depository": "bank", "credit": "card"}
# Money that moves between accounts of the same owner.
OWN_TRANSFERS = frozenset(
    {
        "TRANSFER_IN_ACCOUNT_TRANSFER",
        "TRANSFER_OUT_ACCOUNT_TRANSFER",
        "TRANSFER_IN_SAVINGS",
        "TRANSFER_OUT_SAVINGS",
        "TRANSFER_OUT_INVESTMENT_AND_RETIREMENT_FUNDS",
        "TRANSFER_IN_INVESTMENT_AND_RETIREMENT_FUNDS",
    }
)
CARD_PAYMENTS = frozenset({"LOAN_PAYMENTS_CREDIT_CARD_PAYMENT"})
# Categories that capstack has a word of its own for; any other is Plaid's primary category in lower case.
CATEGORIES = {
    "RENT_AND_UTILITIES_RENT": "rent",
    "GOVERNMENT_AND_NON_PROFIT_TAX_PAYMENT": "tax",
    "INCOME_TAX_REFUND": "tax",
}
NOON = time(12)
_WORD = re.compile(r"[a-z0-9]+")


class UnreadablePage(ValueError):
    """A page that does not look like Plaid's documentation; the message names the field."""


@dataclass(frozen=True, slots=True)
class OwnAccount:
    """An account of ours as the page's rows need it.

    Attributes:
        kind: bank or card.
        currency: as Plaid states it; a row without one of its own takes none from here.
    """

    name: str
    kind: str
    currency: str
    timezone: ZoneInfo


@dataclass(frozen=True, slots=True)
class OwnWallets:
    """What else the company keeps its books on, so that a bank row can be a transfer.

    Attributes:
        has_card: a card account is there, so paying the card's bill is no expense: its purchases are.
        processors: first words of processor accounts' names, in lower case, such as `stripe` or `gusto`: what
            those pay out or pull in is a transfer, because their own events are recorded already.
    """

    has_card: bool = False
    processors: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Page:
    """A page as far as it concerns us.

    Attributes:
        pending: ids of rows that are not recorded until they post.
        strange: rows whose account is not among ours, with the reason; kept beside the books.
    """

    intake: Intake
    pending: tuple[str, ...]
    strange: tuple[tuple[Mapping[str, Any], str], ...]


@dataclass(frozen=True, slots=True)
class FoundAccount:
    """An account as Plaid describes it.

    Attributes:
        current: Plaid's balance in our sign: what is owed on a card is negative. None when Plaid states none.
        currency: None when Plaid states none or an unofficial one.
    """

    account_id: str
    type: str
    name: str
    mask: str
    currency: str | None
    current: Decimal | None

    @property
    def kind(self) -> str | None:
        """bank or card; None for loans, investments and whatever else holds no cash of ours."""
        return KIND_BY_TYPE.get(self.type)


def read_accounts(page: Mapping[str, Any]) -> tuple[FoundAccount, ...]:
    """Return the accounts that a page or an answer of `/accounts/get` describes; empty when it has none.

    Raises:
        UnreadablePage: an account without id.
    """
    return tuple(_account(raw) for raw in _rows(page, "accounts", required=False))


def _account(raw: Mapping[str, Any]) -> FoundAccount:
    account_id = raw.get("account_id")
    if not isinstance(account_id, str) or not 0 < len(account_id) <= 100:
        raise UnreadablePage("accounts.account_id is missing")
    kind = str(raw.get("type") or "")
    balances = raw.get("balances")
    balances = balances if isinstance(balances, dict) else {}
    current = balances.get("current")
    amount = _number(current)
    currency = balances.get("iso_currency_code")
    return FoundAccount(
        account_id=account_id,
        type=kind,
        name=str(raw.get("name") or raw.get("official_name") or "account"),
        mask=str(raw.get("mask") or ""),
        currency=currency if isinstance(currency, str) else None,
        # Plaid states what is owed as a positive number; to us it is money that is not there.
        current=-amount if amount is not None and kind == "credit" else amount,
    )


def account_name(found: FoundAccount, *, taken: Iterable[str]) -> str:
    """Return a name for an account that is new to us, such as `bank-plaid-checking-0000`."""
    words = _WORD.findall(found.name.lower())
    name = "-".join([found.kind or "bank", *words])[:50].rstrip("-")
    if found.mask.isalnum() and len(found.mask) <= 6:
        name = f"{name}-{found.mask.lower()}"
    if name in set(taken):
        name = f"{name}-{''.join(_WORD.findall(found.account_id.lower()))[:6]}"
    return name


def stated_balances(
    found: Iterable[FoundAccount], *, accounts: Mapping[str, OwnAccount], now: datetime
) -> tuple[StatedBalance, ...]:
    """Return what Plaid says we have now: more may be booked before the account's day is over."""
    stated = []
    for account in found:
        own = accounts.get(account.account_id)
        if own is not None and account.current is not None and account.currency is not None:
            day = now.astimezone(own.timezone).date()
            stated.append(StatedBalance(own.name, account.currency, account.current, day, as_of=now))
    return tuple(stated)


def read_page(page: Mapping[str, Any], *, accounts: Mapping[str, OwnAccount], wallets: OwnWallets) -> Page:
    """Return what the rows of a page say, each at most once.

    A row that is modified comes as an event again: the recorder corrects what it recorded. A row that turned
    pending again is taken back until it posts.

    Args:
        page: an answer of `/transactions/sync`, as `parse_json` reads it.
        accounts: ours, by Plaid's account_id.

    Raises:
        UnreadablePage: a list that is missing, or a row without ids.
    """
    events: list[Mapping[str, object]] = []
    removed: dict[str, None] = {}
    pending: list[str] = []
    strange: list[tuple[Mapping[str, Any], str]] = []
    for row in (*_rows(page, "added"), *_rows(page, "modified")):
        transaction_id = _id(row)
        own = accounts.get(str(row.get("account_id")))
        if row.get("pending") is True:
            pending.append(transaction_id)
            removed[transaction_id] = None
        elif own is None:
            strange.append((row, "belongs to an account that holds no cash, or that Plaid did not describe"))
        elif row.get("amount") == 0:
            strange.append((row, "moves no money"))
        else:
            events.append(_event(row, transaction_id=transaction_id, own=own, wallets=wallets))
    for row in _rows(page, "removed"):
        removed[_id(row)] = None
    return Page(
        intake=Intake(
            events=tuple(events),
            removed=tuple(ObjectKey(source=SOURCE, external_ref=transaction_id) for transaction_id in removed),
        ),
        pending=tuple(pending),
        strange=tuple(strange),
    )


def _number(value: object) -> Decimal | None:
    """A JSON number without loss; a bool is an int to Python, and none to us."""
    return Decimal(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else None


def _rows(page: Mapping[str, Any], name: str, *, required: bool = True) -> Sequence[Mapping[str, Any]]:
    rows = page.get(name)
    if rows is None and not required:
        return ()
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UnreadablePage(f"{name} is no list of objects")
    return rows


def _id(row: Mapping[str, Any]) -> str:
    transaction_id = row.get("transaction_id")
    if not isinstance(transaction_id, str) or not 0 < len(transaction_id) <= MAX_TEXT:
        raise UnreadablePage("transaction_id is missing")
    return transaction_id


def _event(
    row: Mapping[str, Any], *, transaction_id: str, own: OwnAccount, wallets: OwnWallets
) -> Mapping[str, object]:
    amount = row.get("amount")
    # Positive leaves the account, on cards as well: a purchase raises what is owed.
    number = _number(amount)
    leaves = number is None or number >= 0
    counterparty = _counterparty(row)
    event: dict[str, object] = {
        "source": SOURCE,
        "amount": amount if number is None else abs(number),
        # Null beside an unofficial code (points, crypto) stays what it is: parse_event refuses it by name.
        "currency": row.get("iso_currency_code") or row.get("unofficial_currency_code"),
        "occurred_at": _occurred_at(row, own.timezone),
        "account": own.name,
        "category": _category(row),
        "counterparty": counterparty,
        "external_ref": transaction_id,
        "metadata": _metadata(row),
    }
    if _is_own_transfer(row, counterparty, wallets):
        event |= {"event_type": "transfer", "direction": "out" if leaves else "in"}
    else:
        event["event_type"] = "expense" if leaves else "income"
    return event


def _occurred_at(row: Mapping[str, Any], timezone: ZoneInfo) -> object:
    """The posting day at noon, or the posting instant where the bank states a true one.

    Banks fill `datetime` with midnight when they know the day only, and midnight in UTC is the day before in New
    York; so an instant counts only when it lies on the day that `date` names.
    """
    try:
        day = date.fromisoformat(str(row.get("date")))
    except ValueError:
        return row.get("date")
    instant = _stated_instant(row.get("datetime"), timezone)
    if instant is not None and instant.astimezone(timezone).date() == day:
        return instant.isoformat()
    return datetime.combine(day, NOON, timezone).isoformat()


def _stated_instant(stated: object, timezone: ZoneInfo) -> datetime | None:
    """None where a bank states no time, midnight, or one that its clocks skipped."""
    try:
        instant = datetime.fromisoformat(stated) if isinstance(stated, str) else None
        if instant is None or instant.time() == time():
            return None
        return instant if instant.tzinfo else instant_at(instant, zone=timezone).astimezone(timezone)
    except ValueError:
        return None


def _detail(row: Mapping[str, Any]) -> tuple[str, str]:
    category = row.get("personal_finance_category")
    category = category if isinstance(category, dict) else {}
    return str(category.get("primary") or ""), str(category.get("detailed") or "")


def _category(row: Mapping[str, Any]) -> str:
    primary, detailed = _detail(row)
    return CATEGORIES.get(detailed, primary.lower())[:MAX_TEXT]


def _counterparty(row: Mapping[str, Any]) -> str:
    name = row.get("merchant_name")
    if not name:
        others = row.get("counterparties")
        named = (
            [other.get("name") for other in others if isinstance(other, dict)] if isinstance(others, list) else []
        )
        name = next((other for other in named if other), None) or row.get("name") or ""
    return str(name)[:MAX_TEXT]


def first_word(account: str) -> str:
    """Return what an account's name begins with, in lower case, as a counterparty may spell it; else nothing."""
    return next(iter(_WORD.findall(account.lower())), "")


def _is_own_transfer(row: Mapping[str, Any], counterparty: str, wallets: OwnWallets) -> bool:
    _, detailed = _detail(row)
    if detailed in OWN_TRANSFERS:
        return True
    if detailed in CARD_PAYMENTS:
        return wallets.has_card
    return bool(wallets.processors & set(_WORD.findall(counterparty.lower())))


def _metadata(row: Mapping[str, Any]) -> Mapping[str, object]:
    """What a person asks for when looking at a row, short; the rest stays with the stored page."""
    kept = {
        "description": row.get("name"),
        "authorized_date": row.get("authorized_date"),
        "payment_channel": row.get("payment_channel"),
        "check_number": row.get("check_number"),
        "pending_transaction_id": row.get("pending_transaction_id"),
        "plaid_category": _detail(row)[1],
    }
    return {name: value[:MAX_TEXT] for name, value in kept.items() if isinstance(value, str) and value}
