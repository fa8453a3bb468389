"""The review queue: questions about the books, each with its answers."""

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.views.decorators.http import require_POST, require_safe

from ledger.domain.transfer_matching import read_leg_name
from ledger.models.review import ReviewKind, ReviewState
from ledger.selectors.review_queue import find_question, open_counts, review_queue
from ledger.services.pairing import CannotMatch, match_by_hand
from ledger.services.review import CannotDecide, Decision, decide, reopen
from ledger.views.company_page import (
    actor_of,
    address,
    answer,
    company_page,
    is_fragment,
    require_finance,
)
from ledger.views.current_company import CurrentCompany

STATES = {"accept": ReviewState.ACCEPTED, "dismiss": ReviewState.DISMISSED, "explain": ReviewState.EXPLAINED}
DONE = {
    "accept": "Done. The question is settled.",
    "dismiss": "Dismissed: both stay as they are.",
    "explain": "Explained, with your reason.",
}


@require_safe
@company_page
def queue(request: HttpRequest, chosen: CurrentCompany) -> HttpResponse:
    """Query: `state` (default open), `kind`, and `before`, the number of the last item of the page before."""
    return _show(request, chosen)


def _show(
    request: HttpRequest,
    chosen: CurrentCompany,
    *,
    problem: str = "",
    problem_item: int | None = None,
    status: int = 200,
) -> HttpResponse:
    state = request.GET.get("state", ReviewState.OPEN)
    kind = request.GET.get("kind", "")
    if state not in ReviewState.values:
        raise BadRequest(f"state: must be one of {', '.join(ReviewState.values)}.")
    if kind and kind not in ReviewKind.values:
        raise BadRequest(f"kind: must be one of {', '.join(ReviewKind.values)}.")
    before = request.GET.get("before", "")
    if before and not (before.isdecimal() and len(before) < 19):
        raise BadRequest("before: is no place in the queue.")
    page = review_queue(
        company_id=chosen.company.id, state=state, kind=kind, before=int(before) if before else None
    )
    path = reverse("review")
    counts = open_counts(company_id=chosen.company.id)
    return answer(
        request,
        chosen,
        page="ledger/review.html",
        fragment="ledger/review_live.html",
        status=status,
        page_of=page,
        state=state,
        kind=kind,
        states=[
            (name, label, address(path, state=name if name != ReviewState.OPEN else "", kind=kind))
            for name, label in ReviewState.choices
        ],
        kinds=[("", "All", address(path, state=state if state != ReviewState.OPEN else ""), 0)]
        + [
            (
                name,
                label,
                address(path, state=state if state != ReviewState.OPEN else "", kind=name),
                counts.get(name, 0),
            )
            for name, label in ReviewKind.choices
        ],
        older_url=address(path, state=state, kind=kind, before=page.next_before) if page.next_before else "",
        here=request.get_full_path(),
        problem=problem,
        problem_item=problem_item,
        zone=chosen.company.timezone,
    )


@require_POST
@company_page
def answer_question(request: HttpRequest, chosen: CurrentCompany, item_id: int) -> HttpResponse:
    """Form: `action` accept | dismiss | explain | reopen | match, `reason`, `position` of the twin to reverse or
    of the leg to match.
    """
    require_finance(chosen)
    question = find_question(company_id=chosen.company.id, item_id=item_id)
    if question is None:
        raise Http404("There is no such question.")
    action = request.POST.get("action", "")
    leg = request.POST.get("position", "")
    try:
        other = read_leg_name(leg) if leg else None
    except ValueError as error:
        raise BadRequest(f"position: {error}.") from None
    try:
        told = _act(request, chosen, item_id, action, other)
    except (CannotDecide, CannotMatch) as error:
        text = capfirst(f"{error}.")
        return _show(
            request, chosen, problem=text, problem_item=item_id, status=200 if is_fragment(request) else 422
        )
    messages.success(request, told)
    if is_fragment(request):
        return _show(request, chosen)
    return HttpResponseRedirect(
        address(reverse("review"), state=request.GET.get("state", ""), kind=request.GET.get("kind", ""))
    )


def _act(
    request: HttpRequest, chosen: CurrentCompany, item_id: int, action: str, other: tuple[int, int] | None
) -> str:
    company_id, actor, now = chosen.company.id, actor_of(request), timezone.now()
    if action == "reopen":
        if not reopen(company_id=company_id, item_id=item_id, now=now):
            raise CannotDecide("item", "this cannot be asked again")
        return "The question is open again."
    if action == "match":
        question = find_question(company_id=company_id, item_id=item_id)
        if question is None or question.kind != ReviewKind.LEG or other is None:
            raise CannotDecide("position", "choose the other side")
        match_by_hand(company_id=company_id, legs=(read_leg_name(question.subject), other), actor=actor, now=now)
        return "The two are one transfer."
    if action not in STATES:
        raise BadRequest("action: must be accept, dismiss, explain, match or reopen.")
    decide(
        company_id=company_id,
        item_id=item_id,
        decision=Decision(STATES[action], request.POST.get("reason", ""), other[0] if other else None),
        actor=actor,
        now=now,
    )
    return DONE[action]
