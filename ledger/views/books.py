"""The books as of a day: what there is, what of it is the company's own, and what it owes in service."""

from datetime import date

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from ledger.services.daily_flows import keep_up
from ledger.views.books_board import books_board
from ledger.views.company_page import address, answer, company_page, is_fragment, local_now
from ledger.views.current_company import CurrentCompany

EARLIEST_DAY = date(1999, 1, 1)
# The days that somebody closing the books looks at.
QUARTER_MONTHS = 3


@require_safe
@company_page
def books(request: HttpRequest, chosen: CurrentCompany) -> HttpResponse:
    """Query: `day` 2026-03-31 (default: today), and `known`, the day at whose end accounts are told as known.

    A day that cannot be is named beside its field, and the page shows today instead.
    """
    today = local_now(chosen).date()
    asked = {name: request.GET.get(name, "").strip() for name in ("day", "known")}
    days: dict[str, date | None] = {}
    problems: dict[str, str] = {}
    for name, text in asked.items():
        days[name], problems[name] = _day(text, today=today)
    day, known_on = days["day"] or today, days["known"]
    is_refused = any(problems.values())
    return answer(
        request,
        chosen,
        page="ledger/books.html",
        fragment="ledger/books_live.html",
        # A fragment that says what is wrong must be swapped in, and htmx leaves refusals alone.
        status=422 if is_refused and not is_fragment(request) else 200,
        is_summed=keep_up(company_id=chosen.company.id),
        board=books_board(company=chosen.company, day=day, known_on=known_on, now=local_now(chosen)),
        asked=asked,
        problems=problems,
        day=day,
        known_on=known_on,
        earliest=EARLIEST_DAY,
        choices=_choices(today, day, known_on),
        zone=chosen.company.timezone,
    )


def _day(text: str, *, today: date) -> tuple[date | None, str]:
    """Return the day that a text names, and what is wrong with it."""
    if not text:
        return None, ""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None, "must be a day such as 2026-03-31"
    if not EARLIEST_DAY <= day <= today:
        return None, f"must lie from {EARLIEST_DAY} to today, {today}"
    return day, ""


def _choices(today: date, day: date, known_on: date | None) -> list[tuple[str, str, bool]]:
    """Label, address and whether it is shown, of the days that are asked for most."""
    month = today.replace(day=1)
    quarter = date(today.year, (today.month - 1) // QUARTER_MONTHS * QUARTER_MONTHS + 1, 1)
    eves = [("End of last month", month), ("Of last quarter", quarter), ("Of last year", date(today.year, 1, 1))]
    days = [("Today", today), *((label, date.fromordinal(first.toordinal() - 1)) for label, first in eves)]
    return [
        (
            label,
            address(reverse("books"), day="" if each == today else each.isoformat()),
            each == day and known_on is None,
        )
        for label, each in days
    ]
