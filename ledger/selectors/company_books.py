"""What a company has at the end of a day: every account, and how much of the cash is its own to spend."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from ledger.domain.account_balance import AccountBalance
from ledger.domain.company import CompanyRef
from ledger.domain.fx import UnknownRate
from ledger.domain.money import convert
from ledger.domain.recognition import EarnedMonth, earned_ahead
from ledger.selectors.account_balances import closing_account_balances
from ledger.selectors.account_books import AccountBook, account_books
from ledger.selectors.deferred_revenue import DeferredPayment, deferred_revenue
from ledger.selectors.fx import rate
from ledger.selectors.restricted_cash import RestrictedCash, restricted_cash

ZERO = Decimal(0)
ONE_DAY = timedelta(days=1)
# What is earned later than this is summed: no page shows five years of months.
MONTHS_AHEAD = 60


@dataclass(frozen=True, slots=True)
class HeldAccount:
    """One account in one currency.

    Attributes:
        base_amount: at the day's rate; None when no rate is published for the currency.
        recorded_since: what came to be known of it after the second clock; None without one.
        book: its badge as of the day; None for an account that only the second clock knows.
    """

    balance: AccountBalance
    base_amount: Decimal | None
    rate: Decimal | None
    recorded_since: Decimal | None
    book: AccountBook | None


@dataclass(frozen=True, slots=True)
class Unearned:
    """What customers have paid for and not received yet, from money that was there by the day.

    Attributes:
        over_days: for service periods, owed at the end of the day.
        in_credit: in customers' balances, for no invoice so far.
        months: how `over_days` will be earned.
        payments: with something left to earn, the largest part first.
    """

    over_days: Decimal
    in_credit: Decimal
    months: tuple[EarnedMonth, ...]
    payments: tuple[DeferredPayment, ...]

    @property
    def total(self) -> Decimal:
        return self.over_days + self.in_credit


@dataclass(frozen=True, slots=True)
class CompanyBooks:
    """Attributes:
    day: of the company's calendar; everything is told for its end.
    known_on: accounts are told as they were known at the end of this day; None: as they are known now. What is
        restricted and unearned is always told as it is known now.
    accounts: cash accounts first, by name.
    together: per currency, statements about all cash accounts at once, held to the journal.
    cash: of all cash accounts, in base currency; currencies without a published rate are left out of it.
    unpriced: those currencies.
    """

    day: date
    known_on: date | None
    base_currency: str
    accounts: tuple[HeldAccount, ...]
    together: tuple[AccountBook, ...]
    cash: Decimal
    unpriced: tuple[str, ...]
    restricted: RestrictedCash
    unearned: Unearned

    @property
    def free(self) -> Decimal:
        """Cash less what is not the company's: withheld tax, deposits, prepayments for time not yet delivered."""
        return self.cash - self.restricted.total - self.unearned.total


def company_books(*, company: CompanyRef, day: date, known_on: date | None = None) -> CompanyBooks:
    """Return what a company has at the end of a day.

    Reads the daily sums: call `ledger.services.daily_flows.catch_up` first.

    Args:
        day: of the company's calendar.
        known_on: only what was recorded by the end of this day counts for the accounts.
    """
    now_known = closing_account_balances(company_id=company.id, day=day)
    shown = now_known
    if known_on is not None:
        shown = closing_account_balances(
            company_id=company.id, day=day, known_at=end_of(known_on, timezone=company.timezone)
        )
    books = {
        (book.account_id, book.currency): book
        for book in account_books(
            company_id=company.id, timezone=company.timezone, now=end_of(day, timezone=company.timezone)
        )
    }
    rates = {each.currency: _rate(each.currency, company.base_currency, day) for each in (*shown, *now_known)}
    accounts = _held(shown, now_known if known_on is not None else (), books, rates)
    return CompanyBooks(
        day=day,
        known_on=known_on,
        base_currency=company.base_currency,
        accounts=accounts,
        together=tuple(book for (account_id, _), book in books.items() if account_id is None),
        cash=sum((held.base_amount or ZERO for held in accounts if held.balance.is_cash), ZERO),
        unpriced=tuple(sorted({each.currency for each in shown if rates[each.currency] is None})),
        restricted=restricted_cash(company_id=company.id, timezone=company.timezone, at=day),
        unearned=unearned_on(company=company, day=day),
    )


def unearned_on(*, company: CompanyRef, day: date) -> Unearned:
    """Return what is received and not earned at the end of a day, and how it will be earned from then on.

    Reads the daily sums: call `catch_up` first.
    """
    revenue = deferred_revenue(company_id=company.id, timezone=company.timezone, start=day, end=day + ONE_DAY)
    months = earned_ahead([each.deferred for each in revenue.payments], after=day, months=MONTHS_AHEAD)
    left = [each for each in revenue.payments if each.unearned > 0]
    return Unearned(
        over_days=revenue.unearned[0],
        in_credit=revenue.in_credit[0],
        months=months,
        payments=tuple(sorted(left, key=lambda each: (-each.unearned, each.event_id))),
    )


def end_of(day: date, *, timezone: str) -> datetime:
    """Return the last instant of a day in a time zone."""
    following = day + ONE_DAY
    midnight = datetime(following.year, following.month, following.day, tzinfo=ZoneInfo(timezone))
    return midnight - timedelta(microseconds=1)


def _held(
    shown: tuple[AccountBalance, ...],
    now_known: tuple[AccountBalance, ...],
    books: dict[tuple[int | None, str], AccountBook],
    rates: dict[str, Decimal | None],
) -> tuple[HeldAccount, ...]:
    by_now = {(each.account_id, each.currency): each.amount for each in now_known}
    held = []
    for each in shown:
        key = (each.account_id, each.currency)
        of_currency = rates[each.currency]
        held.append(
            HeldAccount(
                balance=each,
                base_amount=None if of_currency is None else convert(each.amount, rate=of_currency),
                rate=of_currency,
                recorded_since=by_now[key] - each.amount if key in by_now else None,
                book=books.get(key),
            )
        )
    return tuple(
        sorted(held, key=lambda one: (not one.balance.is_cash, one.balance.account, one.balance.currency))
    )


def _rate(currency: str, base: str, day: date) -> Decimal | None:
    try:
        return rate(currency=currency, base=base, on=day).rate
    except UnknownRate:
        return None
