"""Everything the page of the books shows, as plain values for its template."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from ledger.domain.company import CompanyRef
from ledger.selectors.cash_days import cash_days
from ledger.selectors.chain_verdicts import Verdict, chain_verdict
from ledger.selectors.cloud_costs import CloudBillRow, cloud_bills, cloud_months, first_cloud_month
from ledger.selectors.company_books import CompanyBooks, HeldAccount, company_books
from ledger.selectors.credit_use import credits_used
from ledger.selectors.credits_on_day import Credits, credits_on
from ledger.selectors.deferred_revenue import DeferredPayment
from ledger.selectors.fx_months import FxYear, fx_year
from ledger.templatetags.amounts import instant
from ledger.views.badge import Sign, badge
from ledger.views.books_charts import (
    Chart,
    cash_chart,
    cloud_chart,
    credits_chart,
    fx_chart,
    unearned_chart,
)

ONE_DAY = timedelta(days=1)
CASH_DAYS = 91
SHOWN_PAYMENTS = 12
KIND_NAMES = {"bank": "In bank", "card": "On cards", "processor": "With payment processors"}


@dataclass(frozen=True, slots=True)
class AccountRow:
    held: HeldAccount
    badge: tuple[Sign, ...]


@dataclass(frozen=True, slots=True)
class CashLine:
    """One line of the way from cash to free cash; amounts that are taken off are below zero."""

    label: str
    amount: Decimal
    note: str = ""


@dataclass(frozen=True, slots=True)
class BooksBoard:
    """See the template `ledger/books_live.html`, which shows them in this order.

    Charts are None where there is nothing to draw.
    """

    books: CompanyBooks
    chain: Sign
    accounts: tuple[AccountRow, ...]
    cash_lines: tuple[CashLine, ...]
    off_lines: tuple[CashLine, ...]
    cash: Chart | None
    unearned: Chart | None
    payments: tuple[DeferredPayment, ...]
    more_payments: int
    credits: Credits
    credits_chart: Chart | None
    cloud: Chart | None
    bills: tuple[CloudBillRow, ...]
    fx: FxYear
    fx_chart: Chart | None


def books_board(*, company: CompanyRef, day: date, known_on: date | None, now: datetime) -> BooksBoard:
    """Gather the page.

    Reads the daily sums: call `ledger.services.daily_flows.keep_up` first.

    Args:
        now: in the company's time zone.
    """
    currency = company.base_currency
    books = company_books(company=company, day=day, known_on=known_on)
    used = credits_used(company_id=company.id, before=day + ONE_DAY)
    granted = credits_on(company_id=company.id, day=day, used=used)
    months = cloud_months(company_id=company.id, start=first_cloud_month(day), before=day + ONE_DAY, used=used)
    first_day = day - timedelta(days=CASH_DAYS - 1)
    moved = cash_days(company_id=company.id, start=first_day, before=day + ONE_DAY)
    year = fx_year(company=company, day=day)
    payments = books.unearned.payments
    return BooksBoard(
        books=books,
        chain=_chain(chain_verdict(company_id=company.id), now),
        accounts=tuple(
            AccountRow(held, badge(held.book, today=day) if held.book is not None else ())
            for held in books.accounts
        ),
        cash_lines=_cash(books),
        off_lines=_off(books),
        cash=cash_chart(moved, first_day=first_day, day=day, currency=currency) if moved else None,
        unearned=unearned_chart(books.unearned, day=day, currency=currency) if books.unearned.months else None,
        payments=payments[:SHOWN_PAYMENTS],
        more_payments=max(0, len(payments) - SHOWN_PAYMENTS),
        credits=granted,
        credits_chart=credits_chart(granted, currency=currency) if granted.grants else None,
        cloud=cloud_chart(months, day=day, currency=currency) if months else None,
        bills=cloud_bills(company_id=company.id, until=day),
        fx=year,
        fx_chart=fx_chart(year, currency=currency) if _has_foreign(year) else None,
    )


def _has_foreign(year: FxYear) -> bool:
    return bool(year.pools) or any(month.realised or month.unrealised for month in year.months)


def _cash(books: CompanyBooks) -> tuple[CashLine, ...]:
    """What there is, by kind of account."""
    return tuple(
        CashLine(
            name,
            sum(
                (held.base_amount or Decimal(0) for held in books.accounts if held.balance.kind == kind),
                Decimal(0),
            ),
        )
        for kind, name in KIND_NAMES.items()
        if any(held.balance.kind == kind for held in books.accounts)
    )


def _off(books: CompanyBooks) -> tuple[CashLine, ...]:
    """What of it is somebody else's."""
    return (
        CashLine(
            "Withheld payroll tax",
            -books.restricted.withheld_tax,
            "taken from pay and not passed on yet, as far as payrolls announced it",
        ),
        CashLine("Customer deposits", -books.restricted.customer_deposits, "to be given back"),
        CashLine("Unearned revenue", -books.unearned.over_days, "paid for time that is still to come"),
        CashLine("Customers’ balances", -books.unearned.in_credit, "paid beforehand, for no invoice so far"),
    )


def _chain(verdict: Verdict | None, now: datetime) -> Sign:
    if verdict is None:
        return Sign("unknown", "chain not verified yet")
    when = verdict.verified_at.astimezone(now.tzinfo)
    told = f"{when:%H:%M} {when.tzname()}" if when.date() == now.date() else instant(when)
    if verdict.broken:
        return Sign("bad", f"chain broken, {verdict.broken} ({told})")
    return Sign("good", f"chain verified {told}, {verdict.position:,} events")
