"""The journal, a month at a time."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from ledger.domain.event import EARLIEST, EVENT_TYPES, MONTHS_AHEAD
from ledger.domain.month import month_of, months_after
from ledger.models.account import Account
from ledger.models.source import Source
from ledger.selectors.journal_page import (
    JournalSearch,
    MonthCount,
    MonthTotals,
    PlaceInJournal,
    journal_page,
    month_totals,
    months_with,
)
from ledger.services.daily_flows import keep_up
from ledger.views.company_page import address, answer, company_page, local_now
from ledger.views.current_company import CurrentCompany

MAX_TEXT = 100
MAX_CHOICES = 200
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TYPE_NAMES = {
    "income": "Income",
    "expense": "Expense",
    "transfer": "Transfer",
    "adjustment": "Adjustment",
    "credit": "Vendor credit",
}


@dataclass(frozen=True, slots=True)
class MonthLink:
    month: date
    events: int | None
    url: str
    is_current: bool


@require_safe
@company_page
def journal(request: HttpRequest, chosen: CurrentCompany) -> HttpResponse:
    """Query: `month` 2026-11 (default: the latest with events), `q`, `account`, `source`, `type`, `currency`, and
    `before`, the place where the page begins.
    """
    company = chosen.company
    is_summed = keep_up(company_id=company.id)
    today = local_now(chosen).date()
    search = _search(request, month=date(today.year, today.month, 1))
    months = months_with(company_id=company.id, search=search)
    if "month" not in request.GET and months:
        latest = next((each.month for each in months if each.month <= today), months[-1].month)
        search = replace(search, month=latest)
    page = journal_page(company_id=company.id, timezone=company.timezone, search=search, before=_place(request))
    return answer(
        request,
        chosen,
        page="ledger/journal.html",
        fragment="ledger/journal_live.html",
        search=search,
        page_of=page,
        totals=_totals(company.id, search, found=bool(page.lines)),
        is_summed=is_summed,
        months=_month_links(months, search),
        older_url=_url(search, before=_text(page.next_before)) if page.next_before else "",
        newest_url=_url(search) if "before" in request.GET else "",
        accounts=Account.objects.filter(company_id=company.id)
        .order_by("name")
        .values_list("name", flat=True)[:MAX_CHOICES],
        sources=Source.objects.filter(company_id=company.id)
        .order_by("name")
        .values_list("name", flat=True)[:MAX_CHOICES],
        types=TYPE_NAMES.items(),
        is_searching=any((search.text, search.account, search.source, search.event_type, search.currency)),
        zone=company.timezone,
    )


def _totals(company_id: int, search: JournalSearch, *, found: bool) -> MonthTotals | None:
    """None where the sums by day know nothing of what is searched for: a source, an amount, a reference."""
    if search.source:
        return None
    totals = month_totals(company_id=company_id, search=search)
    return None if search.text and found and not totals.events else totals


def _month(asked: str, *, this_month: date) -> date:
    try:
        month = date.fromisoformat(f"{asked}-01")
    except ValueError:
        raise BadRequest("month: must look like 2026-11.") from None
    # Where an event may lie, and a month more on either side for the company's own calendar.
    first, last = months_after(month_of(EARLIEST), -1), months_after(this_month, MONTHS_AHEAD + 1)
    if not first <= month <= last:
        raise BadRequest(f"month: must lie from {first:%Y-%m} to {last:%Y-%m}.")
    return month


def _search(request: HttpRequest, *, month: date) -> JournalSearch:
    given = {name: request.GET.get(name, "").strip() for name in ("q", "account", "source", "type", "currency")}
    for name, value in given.items():
        if len(value) > MAX_TEXT or "\0" in value:
            raise BadRequest(f"{name}: must have at most {MAX_TEXT} characters.")
    if given["type"] and given["type"] not in EVENT_TYPES:
        raise BadRequest(f"type: must be one of {', '.join(sorted(EVENT_TYPES))}.")
    asked = request.GET.get("month", "")
    if asked:
        month = _month(asked, this_month=month)
    return JournalSearch(
        month=month,
        text=given["q"],
        account=given["account"],
        source=given["source"],
        event_type=given["type"],
        currency=given["currency"].upper(),
    )


def _place(request: HttpRequest) -> PlaceInJournal | None:
    """`before` is the microsecond and the position of the last event of the page before."""
    text = request.GET.get("before", "")
    if not text:
        return None
    try:
        microseconds, position = map(int, text.split("-"))
        return PlaceInJournal(EPOCH + timedelta(microseconds=microseconds), position)
    except (ValueError, OverflowError):
        raise BadRequest("before: is no place in the journal.") from None


def _text(place: PlaceInJournal | None) -> str:
    if place is None:
        return ""
    return f"{(place.occurred_at - EPOCH) // timedelta(microseconds=1)}-{place.position}"


def _url(search: JournalSearch, *, before: str = "") -> str:
    return address(
        reverse("ledger"),
        month=f"{search.month:%Y-%m}",
        q=search.text,
        account=search.account,
        source=search.source,
        type=search.event_type,
        currency=search.currency,
        before=before,
    )


def _month_links(months: tuple[MonthCount, ...], search: JournalSearch) -> tuple[MonthLink, ...]:
    """Months with such events, and the one that is shown, even when it has none."""
    counts: dict[date, int | None] = {each.month: each.events for each in months}
    counts.setdefault(search.month, 0)
    return tuple(
        MonthLink(month, events, _url(replace(search, month=month)), month == search.month)
        for month, events in sorted(counts.items(), reverse=True)
    )
