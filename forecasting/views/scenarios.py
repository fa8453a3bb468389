"""The page of what-ifs: the forecast as it is beside a draft and what is kept, up to four of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from forecasting.fit.history import MissingInputs
from forecasting.scenarios.change import InvalidScenario
from forecasting.scenarios.comparison import Case, days_gained
from forecasting.selectors.scenarios import ScenarioNotFound, StoredScenario, scenarios_of
from forecasting.services.scenarios import NameTaken, archive_scenario, keep_scenario, revise_scenario
from forecasting.services.what_if import MOST_CASES, KnownNow, known_now
from forecasting.views.draft import Draft, draft_of, query_of, read_draft, typed_from
from forecasting.views.explained import signed
from forecasting.views.figure import RANGES
from forecasting.views.headline import NAMES
from forecasting.views.known_names import first_names, known_names, offered
from forecasting.views.what_if_figure import DASHES, Line, balance_rows, chart_words, what_if_chart
from ledger.templatetags.amounts import day_date, days
from ledger.views.company_page import actor_of, answer, company_page, local_now
from ledger.views.current_company import CurrentCompany

DRAFT_NAME = "your draft"
DEFAULT_BASIS, DEFAULT_RANGE = "free", "12m"


@dataclass(frozen=True, slots=True)
class Figure:
    """A quantile of the runway and what it gains; '' for the base."""

    days: str
    date: str
    gained: str


@dataclass(frozen=True, slots=True)
class Row:
    """One case of the comparison. `place` is 0 for the base, else 1 to 4 for colour and dash."""

    place: int
    dash: str
    name: str
    sentences: tuple[str, ...]
    figures: tuple[Figure, ...]
    average: str
    problem: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A kept scenario in the list; links to what can be done with it."""

    scenario: StoredScenario
    is_shown: bool
    is_edited: bool
    toggle_url: str
    open_url: str
    copy_url: str
    share_url: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for."""

    basis: str
    view_range: str
    shown: tuple[int, ...]
    edited: int | None
    draft: Draft

    def url(self, **changes: Any) -> str:
        """The page with something changed; the draft goes along unless it is replaced."""
        pairs = self.pairs(**changes)
        path = reverse("scenarios")
        return f"{path}?{urlencode(pairs)}" if pairs else path

    def pairs(self, **changes: Any) -> list[tuple[str, str]]:
        """The same as names and values; what is the default anyway is left out."""
        wanted = {"basis": self.basis, "range": self.view_range, "show": self.shown, "edit": self.edited} | changes
        pairs: list[tuple[str, str]] = []
        if wanted["basis"] != DEFAULT_BASIS:
            pairs.append(("basis", wanted["basis"]))
        if wanted["range"] != DEFAULT_RANGE:
            pairs.append(("range", wanted["range"]))
        pairs += [("show", str(each)) for each in wanted["show"]]
        if wanted["edit"]:
            pairs.append(("edit", str(wanted["edit"])))
        return pairs + query_of(wanted.get("typed", self.draft.typed))


@require_safe
@company_page
def scenarios(request: HttpRequest, chosen: CurrentCompany) -> HttpResponse:
    """Query: `basis`, `range`, `show` the numbers of kept scenarios, `edit` the one that the draft is of, and the
    draft (`forecasting.views.draft`).
    """
    kept = scenarios_of(company_id=chosen.company.id)
    return _show(request, chosen, kept=kept, asked=_asked(request.GET, chosen=chosen, kept=kept))


@require_POST
@company_page
def keep(request: HttpRequest, chosen: CurrentCompany) -> HttpResponse:
    """Form: the page's query, `name`, and `as` new | same."""
    kept = scenarios_of(company_id=chosen.company.id)
    asked = _asked(request.POST, chosen=chosen, kept=kept)
    name = request.POST.get("name", "")
    if asked.draft.changes is None:
        return _show(request, chosen, kept=kept, asked=asked, name=name, status=422)
    company_id, actor, now = chosen.company.id, actor_of(request), timezone.now()
    try:
        if request.POST.get("as") == "same" and asked.edited:
            stored = revise_scenario(
                company_id=company_id,
                scenario_id=asked.edited,
                name=name,
                changes=asked.draft.changes,
                actor=actor,
                now=now,
            )
        else:
            stored = keep_scenario(
                company_id=company_id, name=name, changes=asked.draft.changes, actor=actor, now=now
            )
    except (InvalidScenario, NameTaken) as error:
        problem = error.errors[0].message if isinstance(error, InvalidScenario) else str(error)
        return _show(
            request,
            chosen,
            kept=kept,
            asked=asked,
            name=name,
            name_problem=problem,
            status=422,
        )
    messages.success(request, f"Kept as {stored.name}.")
    shown = tuple(dict.fromkeys((*asked.shown, stored.scenario_id)))[-MOST_CASES:]
    return HttpResponseRedirect(asked.url(show=shown, edit=None, typed=()))


@require_POST
@company_page
def archive(request: HttpRequest, chosen: CurrentCompany, scenario_id: int) -> HttpResponse:
    """Put one out of sight."""
    try:
        archive_scenario(
            company_id=chosen.company.id, scenario_id=scenario_id, actor=actor_of(request), now=timezone.now()
        )
    except ScenarioNotFound as error:
        raise Http404(str(error)) from error
    messages.success(request, "Archived. Its name is free again, its versions are kept.")
    return HttpResponseRedirect(reverse("scenarios"))


def _asked(given: Any, *, chosen: CurrentCompany, kept: Sequence[StoredScenario]) -> Asked:
    basis, view_range = given.get("basis", DEFAULT_BASIS), given.get("range", DEFAULT_RANGE)
    if basis not in NAMES:
        raise BadRequest(f"basis: must be one of {', '.join(NAMES)}.")
    if view_range not in RANGES:
        raise BadRequest(f"range: must be one of {', '.join(RANGES)}.")
    known = {each.scenario_id: each for each in kept}
    # What has been archived since somebody passed a link on is left out, not an error.
    wanted = [int(each) for each in given.getlist("show") if each.isdecimal() and len(each) < 19]
    shown = tuple(dict.fromkeys(each for each in wanted if each in known))[:MOST_CASES]
    edit = given.get("edit", "")
    edited = int(edit) if edit.isdecimal() and len(edit) < 19 and int(edit) in known else None
    draft = read_draft(given, today=local_now(chosen).date())
    if draft.is_empty and edited is not None and "remove" not in given:
        draft = draft_of(typed_from(known[edited].changes))
    if not draft.is_empty:
        shown = shown[: MOST_CASES - 1]
    return Asked(basis=basis, view_range=view_range, shown=shown, edited=edited, draft=draft)


def _show(
    request: HttpRequest,
    chosen: CurrentCompany,
    *,
    kept: Sequence[StoredScenario],
    asked: Asked,
    name: str = "",
    name_problem: str = "",
    status: int = 200,
) -> HttpResponse:
    today = local_now(chosen).date()
    context: dict[str, Any] = {"waiting_for": ""}
    try:
        known = known_now(company=chosen.company, basis=asked.basis, now=timezone.now())  # type: ignore[arg-type]
    except MissingInputs as missing:
        context["waiting_for"] = " ".join(f"{reason}." for reason in missing.reasons)
    else:
        firsts = first_names(known)
        if "add" in request.GET:
            asked = replace(asked, draft=asked.draft.naming(firsts))
        asked, compared = _compared(known, kept=kept, asked=asked, today=today)
        context |= compared | {"names": known_names(known), "kinds": offered(firsts)}
    edited = next((each for each in kept if each.scenario_id == asked.edited), None)
    return answer(
        request,
        chosen,
        page="forecasting/scenarios.html",
        fragment="forecasting/scenarios_live.html",
        status=status,
        asked=asked,
        groups=asked.draft.groups(),
        draft_problem=asked.draft.errors.get("changes", ""),
        bases=[(asked.url(basis=basis), label, basis == asked.basis) for basis, label in NAMES.items()],
        ranges=[(asked.url(range=each), each, each == asked.view_range) for each in RANGES],
        kept=[
            _kept(each, asked=asked, origin=request.build_absolute_uri("/")[:-1], slug=chosen.company.slug)
            for each in kept
        ],
        edited=edited,
        name=name or (edited.name if edited else ""),
        name_problem=name_problem,
        pairs=asked.pairs(),
        clear_url=asked.url(edit=None, typed=()),
        most_cases=MOST_CASES,
        zone=chosen.company.timezone,
        **context,
    )


def _compared(
    known: KnownNow, *, kept: Sequence[StoredScenario], asked: Asked, today: date
) -> tuple[Asked, dict[str, Any]]:
    """Simulate base and cases. What does not fit the company any more is said in its row."""
    base, currency = known.case(()), known.company.base_currency
    as_of = known.gathered.history.as_of
    rows = [_row(base, None, place=0, name="As it is", sentences=(), as_of=as_of, today=today)]
    lines: list[Line] = []
    draft, drafted = asked.draft, asked.draft.changes
    if drafted:
        try:
            case = known.case(drafted)
        except InvalidScenario as error:
            draft = draft.refused(error)
        else:
            lines.append(Line(place=1, name=DRAFT_NAME, case=case))
            sentences = tuple(each.sentence(currency) for each in drafted)
            rows.append(
                _row(case, base, place=1, name="Your draft", sentences=sentences, as_of=as_of, today=today)
            )
    by_number = {each.scenario_id: each for each in kept}
    first = 1 if asked.draft.is_empty else 2
    for place, number in enumerate(asked.shown, start=first):
        each = by_number[number]
        sentences = tuple(change.sentence(currency) for change in each.changes)
        try:
            case = known.case(each.changes)
        except InvalidScenario as error:
            problem = "; ".join(found.message for found in error.errors)
            rows.append(Row(place, DASHES[place - 1], each.name, sentences, (), "", problem))
            continue
        lines.append(Line(place=place, name=each.name, case=case))
        rows.append(_row(case, base, place=place, name=each.name, sentences=sentences, as_of=as_of, today=today))
    future_days = min(RANGES[asked.view_range], known.setting.horizon_days)
    shared: dict[str, Any] = {"base": base, "lines": lines, "as_of": as_of, "future_days": future_days}
    changed = Asked(asked.basis, asked.view_range, asked.shown, asked.edited, draft)
    return changed, {
        "rows": rows,
        "as_of": as_of,
        "is_spent": base.opening_balance <= 0,
        "stale_days": max(0, (today - as_of).days),
        "figure": what_if_chart(currency=currency, **shared),
        "figure_rows": balance_rows(**shared),
        "figure_names": ["As it is", *(line.name for line in lines)],
        "figure_summary": chart_words(today=today, currency=currency, **shared),
    }


def _row(
    case: Case, base: Case | None, *, place: int, name: str, sentences: tuple[str, ...], as_of: date, today: date
) -> Row:
    runway = case.runway
    counts = (runway.p5_days, runway.p50_days, runway.p95_days)
    gained = None if base is None else days_gained(case, base=base)
    differences = (
        ("", "", "")
        if gained is None
        else tuple(
            # Nobody knows how many more, nor, when the base lies beyond the horizon too, whether any.
            f"{_gained(count)} or more" if is_least else "" if beyond else _gained(count)
            for count, is_least, beyond in zip(
                (gained.p5, gained.p50, gained.p95), gained.is_least, runway.beyond_horizon, strict=True
            )
        )
    )
    return Row(
        place=place,
        dash=DASHES[place - 1] if place else "solid",
        name=name,
        sentences=sentences,
        figures=tuple(
            Figure(
                days=f"over {days(count)}" if beyond else days(count),
                date="" if beyond else day_date(as_of + timedelta(days=count), today),
                gained=difference,
            )
            for count, beyond, difference in zip(counts, runway.beyond_horizon, differences, strict=True)
        ),
        average="" if gained is None else _gained(round(gained.mean)),
        problem="",
    )


def _gained(count: int) -> str:
    """`-12` -> `−12 days`: beside a runway in days, a bare number would read like another one."""
    return f"{signed(count)} {'day' if abs(count) == 1 else 'days'}"


def _kept(each: StoredScenario, *, asked: Asked, origin: str, slug: str) -> Kept:
    number = each.scenario_id
    is_shown = number in asked.shown
    without = tuple(n for n in asked.shown if n != number)
    # One too many takes the place of the one that has been there longest.
    room = MOST_CASES if asked.draft.is_empty else MOST_CASES - 1
    # Who follows the link may belong to several companies, and look at another one now.
    query = urlencode({"company": slug, "show": number})
    return Kept(
        scenario=each,
        is_shown=is_shown,
        is_edited=number == asked.edited,
        toggle_url=asked.url(show=without if is_shown else (*asked.shown, number)[-room:]),
        open_url=asked.url(edit=number, show=without, typed=()),
        copy_url=asked.url(edit=None, typed=typed_from(each.changes)),
        share_url=f"{origin}{reverse('scenarios')}?{query}",
    )
