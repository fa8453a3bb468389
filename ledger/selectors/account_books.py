"""Each account held to what is stated about it, and whether its events are all there."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import connection

from ledger.domain.account import CASH_KINDS
from ledger.domain.completeness import EMPTY, FRESH, LEAST_ACTIVE_DAYS, SILENT, Rhythm, rhythm
from ledger.domain.event import BY_HAND
from ledger.domain.reconciliation import ZERO, Assertion, Move, Reconciliation, reconcile
from ledger.models.account import Account
from ledger.models.matching import AccountFeed
from ledger.models.review import ReviewItem, ReviewKind, ReviewState
from ledger.models.statement import BalanceStatement
from ledger.selectors.moves_within_days import moves_within_days

# Account (None: all cash accounts together) and currency.
type _Key = tuple[int | None, str]

TOGETHER = "All accounts together"
# A feed that has been quiet for longer was given up, and is no news.
GIVEN_UP_DAYS = 120

_MOVES = """
    SELECT f.account_id, f.currency, f.day,
           sum(CASE WHEN f.direction = 'in' THEN f.amount ELSE -f.amount END), sum(f.count)
    FROM ledger_accountday f
    WHERE f.company_id = %s AND f.event_type <> 'credit'
    GROUP BY f.account_id, f.currency, f.day ORDER BY f.day
"""


@dataclass(frozen=True, slots=True)
class Feed:
    """A source that speaks about an account; silent: much quieter than it usually is itself."""

    source: str
    events: int
    last_day: date
    quiet_days: int
    usual_quiet_days: int
    is_silent: bool


@dataclass(frozen=True, slots=True)
class AccountBook:
    """One account in one currency.

    Attributes:
        account_id: None for the cash accounts of a currency taken together, which a plan may state.
        balance: by the journal, at the end of today.
        reconciliation: None when nothing is stated.
        rhythm: for the page and for whoever acts on the balance; its `state` and `gaps` are the badge's.
        events: how many the journal has, reversed ones not counted.
    """

    account_id: int | None
    name: str
    kind: str
    currency: str
    balance: Decimal
    reconciliation: Reconciliation | None
    rhythm: Rhythm
    feeds: tuple[Feed, ...]
    events: int

    @property
    def silent_feeds(self) -> tuple[Feed, ...]:
        return tuple(feed for feed in self.feeds if feed.is_silent)

    @property
    def is_trustworthy(self) -> bool:
        """Fresh, every feed speaks, and everything stated is met: what the policy engine may ask for."""
        return self.rhythm.state == FRESH and not self.silent_feeds and not self.is_broken

    @property
    def is_broken(self) -> bool:
        """A stated balance is not met, and nobody has explained it."""
        return self.reconciliation is not None and self.reconciliation.first_break is not None

    @property
    def is_cash(self) -> bool:
        return self.account_id is None or self.kind in CASH_KINDS

    @property
    def is_idle(self) -> bool:
        """Never used, or empty and quiet for so long that it was given up: its silence is no news."""
        if self.rhythm.state == EMPTY:
            return True
        return self.rhythm.state == SILENT and not self.balance and self.rhythm.quiet_days > GIVEN_UP_DAYS


def account_books(*, company_id: int, timezone: str, now: datetime) -> tuple[AccountBook, ...]:
    """Return every account of a company with its badge, cash accounts first, by name.

    Reads the daily sums and what the matcher found: call `ledger.services.daily_flows.catch_up` first.

    Args:
        timezone: the company's; decides what today is.
    """
    zone = ZoneInfo(timezone)
    today = now.astimezone(zone).date()
    accounts = {account.id: account for account in Account.objects.filter(company_id=company_id)}
    moves: dict[_Key, list[Move]] = defaultdict(list)
    counts: dict[_Key, int] = defaultdict(int)
    active: dict[_Key, list[date]] = defaultdict(list)
    for number, currency, day, amount, count in _moves(company_id):
        is_cash = accounts[number].kind in CASH_KINDS
        together: _Key = (None if is_cash else number, currency)
        for key in {(number, currency), together}:
            moves[key].append(Move(day, amount))
            counts[key] += count
            if count:
                active[key].append(day)
    stated = _assertions(company_id, until=today)
    held = _held(company_id, timezone, stated, moves)
    feeds = _feeds(company_id)
    keys = {key for key in moves if key[0] is not None} | set(stated)
    keys |= {(account.id, account.currency) for account in accounts.values() if _is_unused(account.id, keys)}
    books = []
    for account_id, currency in keys:
        account = accounts.get(account_id) if account_id is not None else None
        key = (account_id, currency)
        habits = rhythm(active_days=active[key], today=today)
        reconciliation = held.get(key)
        books.append(
            AccountBook(
                account_id=account_id,
                name=TOGETHER if account is None else account.name,
                kind="" if account is None else account.kind,
                currency=currency,
                balance=_balance(reconciliation, moves[key], today),
                reconciliation=reconciliation,
                rhythm=habits,
                feeds=tuple(_feed_of(feed, habits, zone=zone, today=today) for feed in feeds.get(account_id, ())),
                events=counts[key],
            )
        )
    return tuple(sorted(books, key=lambda book: (book.kind not in CASH_KINDS, book.name, book.currency)))


def _is_unused(account_id: int, keys: set[_Key]) -> bool:
    return all(account_id != of for of, _ in keys)


def _moves(company_id: int) -> list[tuple[int, str, date, Decimal, int]]:
    with connection.cursor() as cursor:
        cursor.execute(_MOVES, [company_id])
        return list(cursor.fetchall())


def _held(
    company_id: int, timezone: str, stated: Mapping[_Key, Sequence[Assertion]], sums: Mapping[_Key, list[Move]]
) -> dict[_Key, Reconciliation]:
    """Hold every account to what is stated about it.

    The sums of the days do, unless a balance of an instant is not met by the beginning or the end of its day: then
    the moves of that day are read. A day that is met otherwise may leave another one unmet, so it takes rounds.
    """
    accepted = _accepted(company_id)
    moves = {key: list(sums.get(key, ())) for key in stated}
    looked_at: set[tuple[_Key, date]] = set()
    while True:
        held = {
            key: reconciliation
            for key in stated
            if (reconciliation := reconcile(assertions=stated[key], moves=moves[key], accepted=accepted.get(key)))
        }
        unmet = _unmet_instants(held) - looked_at
        if not unmet:
            return held
        looked_at |= unmet
        days = [(number, currency, day) for (number, currency), day in unmet if number is not None]
        found = moves_within_days(company_id=company_id, timezone=timezone, wanted=days)
        for (number, currency, day), of_day in found.items():
            key = (number, currency)
            amounts = [amount for _, amount in of_day]
            total = sum((move.amount for move in moves[key] if move.day == day), ZERO)
            # What is not summed yet is left to the next look.
            if sum(amounts, ZERO) == total:
                others = [move for move in moves[key] if move.day != day]
                moves[key] = others + [Move(day, amount) for amount in amounts]


def _unmet_instants(held: Mapping[_Key, Reconciliation]) -> set[tuple[_Key, date]]:
    unmet: set[tuple[_Key, date]] = set()
    for key, reconciliation in held.items():
        days = {each.day for each in reconciliation.comparisons if each.as_of is not None and each.step}
        if reconciliation.opening.as_of is not None and any(each.step for each in reconciliation.comparisons[:1]):
            days.add(reconciliation.opening.day)
        unmet |= {(key, day) for day in days}
    return unmet


def _assertions(company_id: int, *, until: date) -> dict[_Key, list[Assertion]]:
    """Of each account, currency, day and origin what was said last; who spoke last comes first."""
    rows = (
        BalanceStatement.objects.filter(company_id=company_id, day__lte=until)
        .order_by("-recorded_at", "-id")
        .values_list("account_id", "currency", "day", "origin", "amount", "as_of")
    )
    latest: dict[tuple[int | None, str, date, str], Assertion] = {}
    for account_id, currency, day, origin, amount, as_of in rows:
        latest.setdefault((account_id, currency, day, origin), Assertion(day, origin, amount, as_of))
    stated: dict[_Key, list[Assertion]] = defaultdict(list)
    for (of, currency, _, _), assertion in latest.items():
        stated[of, currency].append(assertion)
    return stated


def _accepted(company_id: int) -> dict[_Key, dict[tuple[date, str], Decimal]]:
    """Differences that somebody explained: {account and currency: {(day, origin): step}}."""
    rows = ReviewItem.objects.filter(
        company_id=company_id, kind=ReviewKind.BREAK, state=ReviewState.EXPLAINED
    ).values_list("account_id", "currency", "day", "subject", "amount")
    accepted: dict[_Key, dict[tuple[date, str], Decimal]] = defaultdict(dict)
    for account_id, currency, day, subject, amount in rows:
        origin = subject.split(f"-{day.isoformat()}-", 1)[1]
        accepted[account_id, currency][day, origin] = amount
    return accepted


def _feeds(company_id: int) -> dict[int | None, list[AccountFeed]]:
    feeds: dict[int | None, list[AccountFeed]] = defaultdict(list)
    for feed in AccountFeed.objects.filter(company_id=company_id).order_by("account_id", "source"):
        feeds[feed.account_id].append(feed)
    return feeds


def _feed_of(feed: AccountFeed, account: Rhythm, *, zone: ZoneInfo, today: date) -> Feed:
    """A feed is measured by its own habits: a payroll speaks twice a month about an account that moves every day.

    When the whole account is silent, that says it all. People at a form and a source that spoke on a few days
    have no rhythm that they could fall out of.
    """
    own = rhythm(active_days=feed.days, today=today)
    last_day = feed.last_occurred_at.astimezone(zone).date()
    quiet = max(0, (today - last_day).days)
    return Feed(
        source=feed.source,
        events=feed.events,
        last_day=last_day,
        quiet_days=quiet,
        usual_quiet_days=own.usual_quiet_days,
        is_silent=account.state not in (SILENT, EMPTY)
        and feed.source != BY_HAND
        and len(feed.days) >= LEAST_ACTIVE_DAYS
        and own.state == SILENT
        and quiet <= GIVEN_UP_DAYS,
    )


def _balance(reconciliation: Reconciliation | None, moves: Sequence[Move], today: date) -> Decimal:
    if reconciliation is None:
        return sum((move.amount for move in moves if move.day <= today), ZERO)
    opened_on = reconciliation.opening.day
    return reconciliation.opened_with + sum((move.amount for move in moves if opened_on < move.day <= today), ZERO)


def days_between(*, after: date, until: date, timezone: str) -> tuple[datetime, datetime]:
    """Return the instants that the days of `(after, until]` begin and end with, as a half-open interval."""
    zone = ZoneInfo(timezone)

    def midnight(day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=zone)

    return midnight(after + timedelta(days=1)), midnight(until + timedelta(days=1))
