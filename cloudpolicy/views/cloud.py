"""The pages of the cloud: where it stands, one decision, one run. What changes something is in `cloud_acts.py`."""

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from cloudpolicy.selectors.decisions import decision
from cloudpolicy.selectors.page_state import cloud_page_seen
from cloudpolicy.selectors.plans import newest_like
from cloudpolicy.selectors.runs import run_view
from cloudpolicy.services.refusals import MAX_REASON
from cloudpolicy.services.standing_plans import MAX_PLAN_NUMBER
from cloudpolicy.views.cloud_board import cloud_board
from cloudpolicy.views.proposal import proposal_of
from cloudpolicy.views.run_words import may_be_undone, run_card
from ledger.models.company import Role
from ledger.views.company_page import address, answer, company_page, is_fragment, local_now
from ledger.views.current_company import CurrentCompany

_BEFORE_IS_A_PLAN = "Before: must be the number of a plan. The newest are shown instead."


class Refused(Exception):
    """What was asked for is not done. `changed` are lines of detail: what lies between the plan that was read and
    the newest one, or each field that is wrong and why.
    """

    def __init__(self, message: str, *, changed: tuple[str, ...] = (), status: int = 409) -> None:
        super().__init__(message)
        self.changed = changed
        self.status = status


@require_safe
@company_page
def cloud(request: HttpRequest, chosen: CurrentCompany) -> HttpResponse:
    """Query: `before`, the last plan of the page of history before; `company` slug; `seen`, what a poll shows
    already: while that is still true the answer is 204.
    """
    return show_cloud(request, chosen)


@require_safe
@company_page
def plan(request: HttpRequest, chosen: CurrentCompany, plan_id: int) -> HttpResponse:
    """One decision: its cause, its calls, who agreed to them and what came of them. Query: `seen`."""
    return show_plan(request, chosen, plan_id)


@require_safe
@company_page
def run(request: HttpRequest, chosen: CurrentCompany, run_id: int) -> HttpResponse:
    """One run, step by step. Query: `seen`."""
    seen = _seen(chosen)
    if _is_seen(request, seen):
        return HttpResponse(status=204)
    view = run_view(company_id=chosen.company.id, run_id=run_id) if run_id <= MAX_PLAN_NUMBER else None
    if view is None:
        raise Http404("There is no such run.")
    return _answer(
        request,
        chosen,
        "run",
        path=reverse("cloud-run", args=[run_id]),
        seen=seen if view.is_open else "",
        card=run_card(view, company_id=chosen.company.id, now=timezone.now()),
    )


def show_cloud(request: HttpRequest, chosen: CurrentCompany, *, refused: Refused | None = None) -> HttpResponse:
    seen = _seen(chosen)
    if _is_seen(request, seen):
        return HttpResponse(status=204)
    before = None
    try:
        before = _before(request)
    except Refused as wrong:
        refused = refused or wrong
    board = cloud_board(
        company=chosen.company, user_id=request.user.pk or 0, before_id=before, now=local_now(chosen)
    )
    return _answer(
        request,
        chosen,
        "cloud",
        path=reverse("cloud"),
        seen=seen,
        refused=refused,
        board=board,
        proposal=board.proposal,
        before=before,
    )


def show_plan(
    request: HttpRequest, chosen: CurrentCompany, plan_id: int, *, refused: Refused | None = None
) -> HttpResponse:
    seen, company_id = _seen(chosen), chosen.company.id
    if _is_seen(request, seen):
        return HttpResponse(status=204)
    found = decision(company_id=company_id, plan_id=plan_id) if plan_id <= MAX_PLAN_NUMBER else None
    if found is None:
        raise Http404("There is no such plan.")
    newest = newest_like(company_id=company_id, asked=found.plan.wanted_p5_days is not None)
    proposal = proposal_of(
        decision=found,
        company_id=company_id,
        user_id=request.user.pk or 0,
        is_newest=newest is not None and newest.plan_id == plan_id,
        now=local_now(chosen),
    )
    return _answer(
        request,
        chosen,
        "plan",
        path=reverse("cloud-plan", args=[plan_id]),
        seen=seen,
        refused=refused,
        decision=found,
        proposal=proposal,
        may_be_undone=may_be_undone(found.runs),
        newest_id=newest.plan_id if newest else plan_id,
        cards=[run_card(each, company_id=company_id, now=timezone.now()) for each in found.runs],
    )


def query_of(chosen: CurrentCompany) -> str:
    """What every address and form carries, so that no form speaks for a company that it does not show."""
    return address("", company=chosen.company.slug if len(chosen.choices) > 1 else "")


def _answer(
    request: HttpRequest,
    chosen: CurrentCompany,
    name: str,
    *,
    path: str,
    seen: str,
    refused: Refused | None = None,
    **context: object,
) -> HttpResponse:
    """Render a page. With `seen` it renews itself."""
    slug = chosen.company.slug if len(chosen.choices) > 1 else ""
    return answer(
        request,
        chosen,
        page=f"cloudpolicy/{name}.html",
        fragment=f"cloudpolicy/{name}_live.html",
        status=refused.status if refused else 200,
        live_url=address(path, company=slug, before=context.get("before"), seen=seen) if seen else "",
        path=path,
        query=query_of(chosen),
        refused=refused,
        # A form that was refused shows what was typed into it, and no other form does.
        given=_given(request),
        may_decide=chosen.role == Role.ADMIN.value,
        reason_length=MAX_REASON,
        zone=chosen.company.timezone,
        **context,
    )


def _given(request: HttpRequest) -> dict[str, object]:
    """What was typed, by the name of the form's address; `exclusion_id` tells which of several forms it was."""
    match = request.resolver_match
    if request.method != "POST" or match is None:
        return {}
    name = (match.url_name or "").replace("-", "_")
    return {name: request.POST, "exclusion_id": match.kwargs.get("exclusion_id")}


def _seen(chosen: CurrentCompany) -> str:
    return cloud_page_seen(company_id=chosen.company.id, now=local_now(chosen))


def _is_seen(request: HttpRequest, seen: str) -> bool:
    return is_fragment(request) and request.GET.get("seen") == seen


def _before(request: HttpRequest) -> int | None:
    text = request.GET.get("before", "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise Refused("Older decisions are not shown.", changed=(_BEFORE_IS_A_PLAN,), status=400)
    return int(text)
