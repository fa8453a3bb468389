"""The page of the plan: what is dated ahead on one line of time, and each list of the plan, edited in place."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from forecasting.fit.plan import InvalidPlan, PlanProblem
from forecasting.planning.edit import NoSuchRow, rows_of, with_row, without_row
from forecasting.planning.row_kind import ROW_KINDS, RowKind
from forecasting.selectors.plans import StoredPlan, plan_in_force, plan_version
from forecasting.services.plan_look import look_at_plan
from forecasting.services.plan_text import read_plan_text
from forecasting.services.plans import PlanMoved, RecordedPlan, record_plan
from forecasting.views.plan_books_form import books_form_of, is_readable, read_books_form
from forecasting.views.plan_effect import effect, warnings_of
from forecasting.views.plan_form import RowForm, form_of, fresh_form, read_form
from forecasting.views.plan_history import change_words
from forecasting.views.plan_page import BASIS, Editing, document_of, show_plan
from ledger.views.company_page import actor_of, company_page, local_now, require_finance
from ledger.views.current_company import CurrentCompany

BOOKS, JSON = "books", "json"
MOST_JSON = 10_000_000
MOVED = "Somebody saved another version meanwhile. Nothing of yours is saved yet: look at theirs, then save again."
ROW_MOVED = (
    "The row that you were editing was changed or taken out there, so saving now adds yours beside the others."
)


@require_safe
@company_page
def plan(request: HttpRequest, chosen: CurrentCompany) -> HttpResponse:
    """Query: `edit` a row (`tranches-0`), `books` or `json`; `add` a list; `versions` to see who changed what."""
    stored = plan_in_force(company_id=chosen.company.id)
    return show_plan(request, chosen, stored, _opened(request, chosen, stored))


@require_POST
@company_page
def keep_row(request: HttpRequest, chosen: CurrentCompany, key: str) -> HttpResponse:
    """Form: the fields of a row, `place` of the one it replaces, `based_on`, and `do`: keep | look | remove."""
    require_finance(chosen)
    kind, place = _kind(key), _place(request.POST.get("place", ""))
    stored = plan_in_force(company_id=chosen.company.id)
    document, is_removal = document_of(stored, chosen), request.POST.get("do") == "remove"
    form, row = read_form(kind, place=place, given=request.POST)
    editing = Editing() if is_removal else Editing(row=form)
    if _based_on(request) != _version(stored):
        # Places are those of the version that was read; in another they may be other rows'.
        return _moved(request, chosen, stored, editing)
    if form.errors and not is_removal:
        return _refused(request, chosen, stored, editing)
    try:
        if is_removal:
            changed = without_row(document, key=key, place=-1 if place is None else place)
        else:
            changed = with_row(document, key=key, place=place, row=row)
    except NoSuchRow as missing:
        raise Http404("There is no such row in the plan.") from missing
    return _do(request, chosen, stored, changed, editing)


@require_POST
@company_page
def keep_books(request: HttpRequest, chosen: CurrentCompany) -> HttpResponse:
    """Form: `as_of`, `history_start`, a line a currency, `based_on`, and `do`: keep | look."""
    require_finance(chosen)
    stored = plan_in_force(company_id=chosen.company.id)
    form, changed = read_books_form(request.POST, document=document_of(stored, chosen))
    if not is_readable(form):
        return _refused(request, chosen, stored, Editing(books=form))
    return _do(request, chosen, stored, changed, Editing(books=form))


@require_POST
@company_page
def keep_json(request: HttpRequest, chosen: CurrentCompany) -> HttpResponse:
    """Form: `text`, or a `file` that goes before it, `based_on`, and `do`: keep | look."""
    require_finance(chosen)
    stored = plan_in_force(company_id=chosen.company.id)
    file = request.FILES.get("file")
    if file is not None and (file.size or 0) > MOST_JSON:
        problem = PlanProblem("$", f"is larger than {MOST_JSON // 1_000_000} MB")
        return _refused(request, chosen, stored, Editing(text="", problems=(problem,)))
    text = file.read() if file is not None else request.POST.get("text", "").encode()
    shown = text.decode("utf-8", errors="replace")
    try:
        changed = read_plan_text(text)
    except InvalidPlan as invalid:
        return _refused(request, chosen, stored, Editing(text=shown, problems=invalid.problems))
    return _do(request, chosen, stored, changed, Editing(text=shown))


@require_POST
@company_page
def restore(request: HttpRequest, chosen: CurrentCompany, version: int) -> HttpResponse:
    """Make a former version the newest. Form: `based_on`."""
    require_finance(chosen)
    document = plan_version(company_id=chosen.company.id, version=version)
    if document is None:
        raise Http404("There is no such version.")
    stored = plan_in_force(company_id=chosen.company.id)
    return _save(request, chosen, stored, document, Editing())


@require_safe
@company_page
def plan_json(request: HttpRequest, chosen: CurrentCompany) -> HttpResponse:  # noqa: ARG001
    """The plan in force as the file that `load_plan` reads."""
    stored = plan_in_force(company_id=chosen.company.id)
    if stored is None:
        raise Http404("No plan is recorded yet.")
    name = f"{chosen.company.slug}-plan-v{stored.version}.json"
    return HttpResponse(
        _written(stored.raw),
        content_type="application/json; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _opened(request: HttpRequest, chosen: CurrentCompany, stored: StoredPlan | None) -> Editing:
    """What the address asks to edit."""
    asked, added = request.GET.get("edit", ""), request.GET.get("add", "")
    company, today = chosen.company, local_now(chosen).date()
    document = document_of(stored, chosen)
    if added:
        return Editing(row=fresh_form(_kind(added), today=today, currency=company.base_currency))
    if asked == BOOKS:
        return Editing(books=books_form_of(document, base_currency=company.base_currency, as_of=document["as_of"]))
    if asked == JSON:
        return Editing(text=_written(document))
    if asked:
        key, _, number = asked.partition("-")
        kind, place = _kind(key), _place(number)
        rows = rows_of(document, key=key)
        if place is None or place >= len(rows):
            raise Http404("There is no such row in the plan.")
        return Editing(row=form_of(kind, place=place, row=rows[place]))
    return Editing()


def _do(
    request: HttpRequest,
    chosen: CurrentCompany,
    stored: StoredPlan | None,
    changed: Mapping[str, Any],
    editing: Editing,
) -> HttpResponse:
    if request.POST.get("do") in ("keep", "remove"):
        return _save(request, chosen, stored, changed, editing)
    today = local_now(chosen).date()
    try:
        look = look_at_plan(
            company=chosen.company, basis=BASIS, raw=changed, actor=actor_of(request), now=timezone.now()
        )
    except InvalidPlan as invalid:
        return _invalid(request, chosen, stored, editing, invalid)
    told = effect(look, today=today)
    changes = change_words(stored.raw if stored else {}, changed, today=today) if editing.text is not None else ()
    return show_plan(request, chosen, stored, replace(editing, look=told, changes=changes), seen=look.now)


def _save(
    request: HttpRequest,
    chosen: CurrentCompany,
    stored: StoredPlan | None,
    changed: Mapping[str, Any],
    editing: Editing,
) -> HttpResponse:
    try:
        recorded = record_plan(
            company_id=chosen.company.id,
            raw=changed,
            actor=actor_of(request),
            now=timezone.now(),
            instead_of=_based_on(request),
        )
    except InvalidPlan as invalid:
        return _invalid(request, chosen, stored, editing, invalid)
    except PlanMoved:
        return _moved(request, chosen, plan_in_force(company_id=chosen.company.id), editing)
    _tell(request, recorded)
    return HttpResponseRedirect(f"{reverse('plan')}?company={chosen.company.slug}")


def _tell(request: HttpRequest, recorded: RecordedPlan) -> None:
    if recorded.status == "unchanged":
        messages.success(request, f"Version {recorded.version} says this already. Nothing was changed.")
    else:
        messages.success(request, f"Saved as version {recorded.version}. The forecast follows within seconds.")
    for warning in warnings_of(recorded):
        messages.warning(request, warning)


def _invalid(
    request: HttpRequest, chosen: CurrentCompany, stored: StoredPlan | None, editing: Editing, invalid: InvalidPlan
) -> HttpResponse:
    """Say what is wrong beside the field that it is about."""
    if editing.row is not None:
        return _refused(request, chosen, stored, replace(editing, row=editing.row.refused(invalid.problems)))
    if editing.books is not None:
        form, _ = read_books_form(request.POST, document=document_of(stored, chosen), problems=invalid.problems)
        return _refused(request, chosen, stored, replace(editing, books=form))
    return _refused(request, chosen, stored, replace(editing, problems=invalid.problems))


def _refused(
    request: HttpRequest, chosen: CurrentCompany, stored: StoredPlan | None, editing: Editing
) -> HttpResponse:
    return show_plan(request, chosen, stored, editing, status=422)


def _moved(
    request: HttpRequest, chosen: CurrentCompany, stored: StoredPlan | None, editing: Editing
) -> HttpResponse:
    """Somebody else saved: show their plan with what was typed on top, and let the next attempt know of it."""
    moved = MOVED
    if editing.row is not None and editing.row.place is not None:
        place = _place_now(request, chosen, stored, editing.row)
        editing = replace(editing, row=replace(editing.row, place=place))
        moved = MOVED if place is not None else f"{MOVED} {ROW_MOVED}"
    return show_plan(request, chosen, stored, replace(editing, moved=moved), status=409)


def _place_now(
    request: HttpRequest, chosen: CurrentCompany, stored: StoredPlan | None, form: RowForm
) -> int | None:
    """Where the row that is being edited stands in the plan in force; None when it is not there any more."""
    before = plan_version(company_id=chosen.company.id, version=_based_on(request)) or {}
    then, now = rows_of(before, key=form.kind.key), rows_of(document_of(stored, chosen), key=form.kind.key)
    if form.place is None or form.place >= len(then) or then[form.place] not in now:
        return None
    return now.index(then[form.place])


def _based_on(request: HttpRequest) -> int:
    """The version that a form was opened from; 0 when there was none."""
    text = request.POST.get("based_on", "")
    if not text.isdecimal() or len(text) > 9:
        raise BadRequest("based_on: must be the version that you started from.")
    return int(text)


def _version(stored: StoredPlan | None) -> int:
    return stored.version if stored else 0


def _kind(key: str) -> RowKind:
    kind = ROW_KINDS.get(key)
    if kind is None:
        raise Http404("The plan has no such list.")
    return kind


def _place(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 6 else None


def _written(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
