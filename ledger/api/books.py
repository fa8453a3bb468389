"""`/books`: what a company has, owes in service, was granted and is warned of, as its page shows it."""

from datetime import date, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Schema
from pydantic import Field

from ledger.api.auth import TokenAuth
from ledger.api.book_schemas import (
    BalancesSchema,
    CashDaysSchema,
    ChainSchema,
    CloudBillsSchema,
    CreditsSchema,
    FxGainsSchema,
    UnearnedSchema,
    WarningsSchema,
)
from ledger.api.event_json import money_text
from ledger.api.problems import Problem, ProblemSchema
from ledger.domain.company import CompanyRef
from ledger.domain.credit_grant import CreditGrantCurve
from ledger.domain.problems import FieldProblem
from ledger.selectors.account_books import AccountBook
from ledger.selectors.cash_days import cash_days
from ledger.selectors.chain_verdicts import chain_verdict
from ledger.selectors.cloud_costs import cloud_bills, cloud_months, first_cloud_month
from ledger.selectors.companies import company_ref
from ledger.selectors.company_books import HeldAccount, company_books, unearned_on
from ledger.selectors.credit_use import credits_used
from ledger.selectors.credits_on_day import credits_on
from ledger.selectors.data_warnings import data_warnings
from ledger.selectors.fx_months import fx_year
from ledger.services.daily_flows import keep_up

EARLIEST_DAY = date(1999, 1, 1)
MAX_CASH_DAYS = 731
DEFAULT_CASH_DAYS = 91
ONE_DAY = timedelta(days=1)

router = Router(tags=["books"], auth=TokenAuth("read"))

_PROBLEMS = {401: ProblemSchema, 403: ProblemSchema, 422: ProblemSchema, 503: ProblemSchema}


class AsOf(Schema):
    day: Annotated[date | None, Field(description="Of the company's calendar; today when absent.")] = None


class AsOfAsKnown(AsOf):
    known: Annotated[
        date | None,
        Field(description="Tell the accounts as they were known at the end of this day; now when absent."),
    ] = None


class CashRange(Schema):
    start: Annotated[date | None, Field(description="Inclusive; 91 days before `before` when absent.")] = None
    before: Annotated[date | None, Field(description="Exclusive; tomorrow when absent.")] = None


@router.get("", response={200: BalancesSchema, **_PROBLEMS}, summary="Accounts, restricted and free cash")
def get_books(request: HttpRequest, query: Query[AsOfAsKnown]) -> dict[str, Any]:
    """Every account at the end of a day with its badge, and how much of the cash is the company's own to spend."""
    company = _company(request)
    books = company_books(
        company=company,
        day=_day(company, "day", query.day),
        known_on=None if query.known is None else _day(company, "known", query.known),
    )
    restricted = books.restricted
    return {
        "company": company.slug,
        "day": books.day,
        "known": books.known_on,
        "currency": books.base_currency,
        "accounts": [_account(held) for held in books.accounts],
        "cash": money_text(books.cash),
        "unpriced": list(books.unpriced),
        "restricted": {
            "withheld_tax": money_text(restricted.withheld_tax),
            "customer_deposits": money_text(restricted.customer_deposits),
            "total": money_text(restricted.total),
            "employer_tax": money_text(restricted.employer_tax),
        },
        "unearned": money_text(books.unearned.total),
        "free": money_text(books.free),
    }


def _account(held: HeldAccount) -> dict[str, Any]:
    balance = held.balance
    return {
        "account": balance.account,
        "kind": balance.kind,
        "currency": balance.currency,
        "is_cash": balance.is_cash,
        "amount": money_text(balance.amount),
        "base_amount": None if held.base_amount is None else money_text(held.base_amount),
        "rate": None if held.rate is None else f"{held.rate.normalize():f}",
        "opened_on": balance.opened_on,
        "recorded_since": None if held.recorded_since is None else money_text(held.recorded_since),
        "badge": None if held.book is None else _badge(held.book),
    }


def _badge(book: AccountBook) -> dict[str, Any]:
    held = book.reconciliation
    broken = held.first_break if held else None
    return {
        "state": book.rhythm.state,
        "last_day": book.rhythm.last_day,
        "quiet_days": book.rhythm.quiet_days,
        "usual_quiet_days": book.rhythm.usual_quiet_days,
        "silent_feeds": [feed.source for feed in book.silent_feeds],
        "reconciled_to": held.reconciled_to if held else None,
        "broken_on": broken.day if broken else None,
        "off_by": money_text(broken.step) if broken else None,
        "is_trustworthy": book.is_trustworthy,
    }


@router.get("/cash-days", response={200: CashDaysSchema, **_PROBLEMS}, summary="Cash in and out per day")
def get_cash_days(request: HttpRequest, query: Query[CashRange]) -> dict[str, Any]:
    """Days on which cash moved, at most 731 of them."""
    company = _company(request)
    before = query.before or _today(company) + ONE_DAY
    if not EARLIEST_DAY < before <= date(2199, 12, 31):
        raise _refused("before", f"must lie after {EARLIEST_DAY} and before 2200")
    start = query.start or max(EARLIEST_DAY, before - timedelta(days=DEFAULT_CASH_DAYS))
    if not EARLIEST_DAY <= start < before:
        raise _refused("start", f"must lie from {EARLIEST_DAY} to the day before {before}")
    if (before - start).days > MAX_CASH_DAYS:
        raise _refused("start", f"must lie at most {MAX_CASH_DAYS} days before {before}")
    return {
        "company": company.slug,
        "currency": company.base_currency,
        "days": [
            {"day": each.day, "money_in": money_text(each.money_in), "money_out": money_text(each.money_out)}
            for each in cash_days(company_id=company.id, start=start, before=before)
        ],
    }


@router.get("/unearned", response={200: UnearnedSchema, **_PROBLEMS}, summary="Deferred revenue")
def get_unearned(request: HttpRequest, query: Query[AsOf]) -> dict[str, Any]:
    """What customers have paid for and not received yet, and how it will be earned month by month."""
    company = _company(request)
    day = _day(company, "day", query.day)
    unearned = unearned_on(company=company, day=day)
    return {
        "company": company.slug,
        "day": day,
        "currency": company.base_currency,
        "unearned": money_text(unearned.total),
        "in_credit": money_text(unearned.in_credit),
        "months": [
            {"month": each.month, "earned": money_text(each.earned), "unearned": money_text(each.unearned)}
            for each in unearned.months
        ],
        "payments": [
            {
                "event_id": each.event_id,
                "customer": each.customer,
                "received_on": each.deferred.received_on,
                "start": each.deferred.term.start,
                "end": each.deferred.term.end,
                "amount": money_text(each.deferred.term.amount),
                "unearned": money_text(each.unearned),
            }
            for each in unearned.payments
        ],
    }


@router.get("/credits", response={200: CreditsSchema, **_PROBLEMS}, summary="Cloud credits")
def get_credits(request: HttpRequest, query: Query[AsOf]) -> dict[str, Any]:
    """Each grant with what is left of it, and the curve of each provider: a year back, and on to the last expiry.

    Days to come are told as if nothing more were used: a lump that lapses is a step, not a slope.
    """
    company = _company(request)
    day = _day(company, "day", query.day)
    used = credits_used(company_id=company.id, before=day + ONE_DAY)
    found = credits_on(company_id=company.id, day=day, used=used)
    return {
        "company": company.slug,
        "day": day,
        "currency": company.base_currency,
        "remaining": money_text(found.remaining),
        "grants": [
            {
                "provider": grant.provider,
                "expires_on": grant.expires_on,
                "stated": money_text(grant.stated),
                "remaining": money_text(grant.remaining),
                "lapses": money_text(grant.lapses),
            }
            for grant in found.grants
        ],
        "curves": [{"provider": curve.provider, "curve": _steps(curve)} for curve in found.curves],
    }


def _steps(curve: CreditGrantCurve) -> list[dict[str, Any]]:
    last = len(curve.days) - 1
    return [
        {"day": day, "remaining": money_text(left)}
        for place, (day, left) in enumerate(zip(curve.days, curve.remaining, strict=True))
        if place in (0, last) or left != curve.remaining[place - 1]
    ]


@router.get("/cloud", response={200: CloudBillsSchema, **_PROBLEMS}, summary="Cloud bills")
def get_cloud(request: HttpRequest, query: Query[AsOf]) -> dict[str, Any]:
    """What providers charged in each of the last months and how it was paid, and the bills in force."""
    company = _company(request)
    day = _day(company, "day", query.day)
    used = credits_used(company_id=company.id, before=day + ONE_DAY)
    months = cloud_months(company_id=company.id, start=first_cloud_month(day), before=day + ONE_DAY, used=used)
    return {
        "company": company.slug,
        "day": day,
        "currency": company.base_currency,
        "months": [
            {
                "provider": each.provider,
                "month": each.month,
                "charged": money_text(each.charged),
                "credited": money_text(each.credited),
                "paid": money_text(each.paid),
            }
            for each in months
        ],
        "bills": [
            {
                "provider": bill.provider,
                "billing_account": bill.billing_account,
                "period_start": bill.period_start,
                "period_end": bill.period_end,
                "billed": money_text(bill.billed),
                "currency": bill.currency,
                "lines": bill.lines,
                "version": bill.version,
                "format": bill.format,
                "imported_at": bill.imported_at,
            }
            for bill in cloud_bills(company_id=company.id, until=day)
        ],
    }


@router.get("/fx", response={200: FxGainsSchema, **_PROBLEMS}, summary="Exchange gains")
def get_fx(request: HttpRequest, query: Query[AsOf]) -> dict[str, Any]:
    """Realised gains of the last twelve months, unrealised ones at their ends, and what foreign money there is."""
    company = _company(request)
    day = _day(company, "day", query.day)
    year = fx_year(company=company, day=day)
    return {
        "company": company.slug,
        "day": day,
        "currency": company.base_currency,
        "realised": money_text(year.realised),
        "unrealised": money_text(year.unrealised),
        "months": [
            {
                "month": each.month,
                "realised": money_text(each.realised),
                "unrealised": money_text(each.unrealised),
            }
            for each in year.months
        ],
        "pools": [
            {
                "currency": pool.currency,
                "amount": money_text(pool.amount),
                "cost": money_text(pool.cost),
                "unrealised": None if pool.unrealised is None else money_text(pool.unrealised),
            }
            for pool in year.pools
        ],
        "unpriced": list(year.unpriced),
    }


@router.get("/warnings", response={200: WarningsSchema, **_PROBLEMS}, summary="What the data warns of")
def get_warnings(request: HttpRequest) -> dict[str, Any]:
    """Doubts that the data itself raises, each with the rows that it is about and what to do."""
    company = _company(request)
    found = data_warnings(company_id=company.id, timezone=company.timezone, now=timezone.now())
    return {
        "company": company.slug,
        "currency": company.base_currency,
        "warnings": [
            {
                "code": warning.code,
                "sentence": warning.sentence,
                "advice": warning.advice,
                "since": warning.since,
                "amount": None if warning.amount is None else money_text(warning.amount),
                "causes": [
                    {
                        "counterparty": cause.counterparty,
                        "category": cause.category,
                        "returned": money_text(cause.returned),
                    }
                    for cause in warning.causes
                ],
                "rows": warning.rows.query(),
            }
            for warning in found
        ],
    }


@router.get("/chain", response={200: ChainSchema, **_PROBLEMS}, summary="Whether the journal fits its chain")
def get_chain(request: HttpRequest) -> dict[str, Any]:
    """What the verifier found last; it comes by every ten minutes to twelve hours, as the journal is long."""
    company = _company(request)
    verdict = chain_verdict(company_id=company.id)
    return {
        "company": company.slug,
        "verified_at": verdict and verdict.verified_at,
        "position": verdict and verdict.position,
        "sealed": verdict and verdict.sealed,
        "exported": verdict and verdict.exported,
        "holds": verdict and verdict.broken_at is None,
        "broken_at": verdict and verdict.broken_at,
        "broken": verdict.broken if verdict else "",
    }


def _company(request: HttpRequest) -> CompanyRef:
    """Return the token's company with its days summed.

    Raises:
        Problem: 503 while many events have just arrived and are still being added up.
    """
    company = company_ref(company_id=request.auth.company_id)  # type: ignore[attr-defined]
    if not keep_up(company_id=company.id):
        raise Problem(
            503,
            "Many events have just arrived and are still being added up; ask again in a moment.",
            headers={"Retry-After": "1"},
        )
    return company


def _today(company: CompanyRef) -> date:
    return timezone.now().astimezone(ZoneInfo(company.timezone)).date()


def _day(company: CompanyRef, name: str, asked: date | None) -> date:
    today = _today(company)
    if asked is None:
        return today
    if not EARLIEST_DAY <= asked <= today:
        raise _refused(name, f"must lie from {EARLIEST_DAY} to today, {today}")
    return asked


def _refused(name: str, message: str) -> Problem:
    return Problem(422, "The request is refused.", errors=[FieldProblem(name, message)])
