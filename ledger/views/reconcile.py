"""Each account against what is stated about it, and what does not fit together."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.text import capfirst
from django.views.decorators.http import require_POST, require_safe

from ledger.domain.account_balance import AccountBalance
from ledger.domain.reconciliation import Comparison
from ledger.domain.wall_clock import NoSuchTime, instant_at
from ledger.models.account import Account
from ledger.selectors.account_balances import account_balances, cash_at
from ledger.selectors.account_books import AccountBook, account_books, days_between
from ledger.selectors.journal_page import JournalLine
from ledger.selectors.moves_of_days import MAX_MOVES, moves_of_days
from ledger.selectors.review_queue import latest_matches, open_counts
from ledger.services.daily_flows import keep_up
from ledger.services.review import CannotDecide, explain_break
from ledger.services.statements import InvalidStatement, state_balance
from ledger.views.badge import Sign, badge
from ledger.views.company_page import actor_of, address, answer, company_page, local_now, require_finance
from ledger.views.current_company import CurrentCompany
from ledger.views.typed_amount import NotAnAmount, typed_amount

ORIGIN = "typed in"
FIRST_YEAR, LAST_YEAR = 1999, 2199
SHOWN_COMPARISONS = 40


@dataclass(frozen=True, slots=True)
class AccountCard:
    """An account on the page.

    Attributes:
        comparisons: the latest statements, the latest first.
        moves: what the journal has for the days in which the first break lies.
        more_moves: there are more than those.
    """

    book: AccountBook
    badge: tuple[Sign, ...]
    comparisons: tuple[Comparison, ...]
    first_break: Comparison | None
    moves: tuple[JournalLine, ...]
    more_moves: bool
    journal_url: str


@dataclass(frozen=True, slots=True)
class BalancesThen:
    """What every account held at an instant, as it is known now or was known at another."""

    at: datetime
    known_at: datetime | None
    balances: tuple[AccountBalance, ...]
    cash: tuple[tuple[str, Decimal], ...]


@require_safe
@company_page
def reconcile(request: HttpRequest, chosen: CurrentCompany) -> HttpResponse:
    """Query: `at` and `known`, instants in the company's time zone: the balances then, as known then."""
    return _show(request, chosen)


def _then(request: HttpRequest, chosen: CurrentCompany) -> BalancesThen | None:
    at, known_at = _instant(request, chosen, "at"), _instant(request, chosen, "known")
    if at is None:
        return None
    balances = account_balances(company_id=chosen.company.id, at=at, known_at=known_at)
    return BalancesThen(at, known_at, balances, tuple(cash_at(balances).items()))


def _instant(request: HttpRequest, chosen: CurrentCompany, name: str) -> datetime | None:
    text = request.GET.get(name, "").strip()
    if not text:
        return None
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None or not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise BadRequest(f"{name}: must be a date and time such as 2026-03-31T17:00.")
    zone = ZoneInfo(chosen.company.timezone)
    # In the company's own zone: PostgreSQL takes no offset of 16 hours or more.
    try:
        return moment.astimezone(zone) if moment.tzinfo else instant_at(moment, zone=zone).astimezone(zone)
    except NoSuchTime as error:
        raise BadRequest(f"{name}: {error}.") from None


def _show(
    request: HttpRequest, chosen: CurrentCompany, *, problem: tuple[str, str] | None = None, status: int = 200
) -> HttpResponse:
    company = chosen.company
    is_summed = keep_up(company_id=company.id)
    now = local_now(chosen)
    books = account_books(company_id=company.id, timezone=company.timezone, now=now)
    counts = open_counts(company_id=company.id)
    return answer(
        request,
        chosen,
        page="ledger/reconcile.html",
        fragment="ledger/reconcile_live.html",
        status=status,
        cards=[_card(book, chosen, today=now.date()) for book in books],
        counts=counts,
        open_questions=sum(counts.values()),
        matches=latest_matches(company_id=company.id),
        is_summed=is_summed,
        then=_then(request, chosen),
        now=now,
        accounts=Account.objects.filter(company_id=company.id).order_by("name"),
        problem_field=problem[0] if problem else "",
        problem=problem[1] if problem else "",
        given=request.POST if problem else {},
        zone=company.timezone,
    )


def _card(book: AccountBook, chosen: CurrentCompany, *, today: date) -> AccountCard:
    held = book.reconciliation
    first_break = held.first_break if held else None
    moves: tuple[JournalLine, ...] = ()
    if first_break is not None:
        start, end = days_between(after=first_break.after, until=first_break.day, timezone=chosen.company.timezone)
        moves = moves_of_days(
            company_id=chosen.company.id,
            account_id=book.account_id,
            currency=book.currency,
            start=start,
            end=end,
        )
    return AccountCard(
        book=book,
        badge=badge(book, today=today),
        comparisons=tuple(reversed(held.comparisons[-SHOWN_COMPARISONS:])) if held else (),
        first_break=first_break,
        moves=moves[:MAX_MOVES],
        more_moves=len(moves) > MAX_MOVES,
        journal_url=address(
            reverse("ledger"), account=book.name if book.account_id else "", currency=book.currency
        ),
    )


@require_POST
@company_page
def state(request: HttpRequest, chosen: CurrentCompany) -> HttpResponse:
    """Keep a balance that a person read off a statement."""
    require_finance(chosen)
    # By comparison here, not by a query: PostgreSQL takes no NUL in a text.
    accounts = Account.objects.filter(company_id=chosen.company.id)
    account = next((each for each in accounts if each.name == request.POST.get("account")), None)
    if account is None:
        return _show(request, chosen, problem=("account", "Choose one of the accounts."), status=422)
    try:
        day = date.fromisoformat(request.POST.get("day", ""))
    except ValueError:
        return _show(request, chosen, problem=("day", "Enter a day such as 2026-03-31."), status=422)
    if not date(1999, 1, 1) <= day <= local_now(chosen).date():
        return _show(
            request, chosen, problem=("day", "The balance of a day that is not over is not known."), status=422
        )
    try:
        amount = typed_amount(request.POST.get("amount", ""))
        state_balance(
            company_id=chosen.company.id,
            currency=account.currency,
            amount=amount,
            day=day,
            origin=ORIGIN,
            actor=actor_of(request),
            now=timezone.now(),
            account=account.name,
        )
    except NotAnAmount:
        return _show(request, chosen, problem=("amount", "Enter a number such as 12,345.67."), status=422)
    except InvalidStatement as error:
        return _show(request, chosen, problem=("amount", capfirst(f"{error}.")), status=422)
    messages.success(request, f"Kept: {account.name} held {amount:,} {account.currency} at the end of {day}.")
    return HttpResponseRedirect(reverse("reconcile"))


@require_POST
@company_page
def explain(request: HttpRequest, chosen: CurrentCompany) -> HttpResponse:
    """Accept the difference at an account's first break, with a reason."""
    require_finance(chosen)
    company = chosen.company
    keep_up(company_id=company.id)
    books = account_books(company_id=company.id, timezone=company.timezone, now=local_now(chosen))
    wanted = (request.POST.get("account", ""), request.POST.get("currency", ""))
    book = next((each for each in books if (str(each.account_id or 0), each.currency) == wanted), None)
    broken = book.reconciliation.first_break if book and book.reconciliation else None
    if book is None or broken is None:
        raise Http404("There is no such break any more.")
    if (str(broken.step), broken.day.isoformat()) != (request.POST.get("step"), request.POST.get("day")):
        messages.warning(request, "The books have moved meanwhile; look at the difference again.")
        return HttpResponseRedirect(reverse("reconcile"))
    try:
        explain_break(
            company_id=company.id,
            account_id=book.account_id,
            currency=book.currency,
            day=broken.day,
            origin=broken.origin,
            step=broken.step,
            reason=request.POST.get("reason", ""),
            actor=actor_of(request),
            now=timezone.now(),
        )
    except CannotDecide as error:
        return _show(request, chosen, problem=("reason", capfirst(f"{error}.")), status=422)
    messages.success(request, "The difference is explained; the account is held to what follows.")
    return HttpResponseRedirect(reverse("reconcile"))
