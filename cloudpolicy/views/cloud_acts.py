"""What an admin does on the pages of the cloud, by the services of the API. Refusals are shown on the page."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from cloudpolicy.engine.document import InvalidPolicy
from cloudpolicy.models.run import RunState, ScalingRun
from cloudpolicy.selectors.plans import newest_like, stored_plan
from cloudpolicy.services.approving import Approver, approve_plan
from cloudpolicy.services.aws import CloudUnavailable
from cloudpolicy.services.exclusions import lift_exclusion
from cloudpolicy.services.kill_switch import turn_kill_switch
from cloudpolicy.services.planning import plan_scaling
from cloudpolicy.services.prices import PriceRefused, enter_price
from cloudpolicy.services.refusals import EngineBusy, NotAllowed, PlanNotFound
from cloudpolicy.services.runs import start_apply, start_rollback
from cloudpolicy.services.standing_plans import find_plan
from cloudpolicy.views.by_button import by_button
from cloudpolicy.views.cloud import Refused, query_of, show_cloud, show_plan
from cloudpolicy.views.what_changed import what_changed
from cloudpolicy.wake import wake_run
from ledger.models.company import Role
from ledger.views.company_page import actor_of, company_page
from ledger.views.current_company import CurrentCompany

# As the form of a price names what the service refuses.
_PRICE_FIELDS = {
    "instance_type": "Price of",
    "group": "Price of",
    "region": "Price of",
    "account": "Price of",
    "market": "Bought",
    "per_hour": "An hour",
    "currency": "An hour",
    "because": "Where it is from",
}


@company_page
@by_button
def look(request: HttpRequest, chosen: CurrentCompany) -> HttpResponse:
    """Read the cloud now and plan. It changes nothing there, so every member may."""
    now = timezone.now()
    try:
        made = plan_scaling(company_id=chosen.company.id, now=now)
    except CloudUnavailable as unavailable:
        messages.warning(request, f"The cloud cannot be read: {unavailable}. Nothing was changed.")
    except InvalidPolicy as broken:
        messages.warning(request, f"The stored policy is broken: {broken}. Nothing was planned.")
    else:
        news = f"Plan {made.plan_id} is new." if made.created_at == now else "Nothing has changed."
        messages.success(request, f"Looked again. {news}")
    return HttpResponseRedirect(reverse("cloud") + query_of(chosen))


@company_page
@by_button
def approve(request: HttpRequest, chosen: CurrentCompany, plan_id: int) -> HttpResponse:
    """Form: `digest` of the plan that was read, `reason`."""
    _require_admin(chosen)
    try:
        with _refusals():
            _still_newest(chosen, plan_id)
            if not request.POST.get("digest"):
                raise NotAllowed("the digest of the plan that was read is missing", field="digest")
            consent = approve_plan(
                company_id=chosen.company.id,
                plan_id=plan_id,
                approver=Approver(actor_of(request), request.user.pk),
                reason=request.POST.get("reason", ""),
                digest=request.POST["digest"],
                now=timezone.now(),
            )
    except Refused as refused:
        return _refuse(request, chosen, plan_id, refused)
    if consent.is_enough:
        messages.success(request, f"Plan {plan_id} is approved. Nothing is changed before it is applied.")
    else:
        messages.success(request, f"Your approval of plan {plan_id} is kept; {consent.missing}.")
    return _back(request, chosen, plan_id)


@company_page
@by_button
def apply_plan(request: HttpRequest, chosen: CurrentCompany, plan_id: int) -> HttpResponse:
    """Form: `reason`."""
    _require_admin(chosen)
    try:
        with _refusals():
            _still_newest(chosen, plan_id)
            begun = start_apply(
                company_id=chosen.company.id,
                plan_id=plan_id,
                actor=actor_of(request),
                reason=request.POST.get("reason", ""),
                now=timezone.now(),
            )
    except Refused as refused:
        return _refuse(request, chosen, plan_id, refused)
    if begun is None:
        messages.success(request, f"Plan {plan_id} asks for nothing, so there is nothing to do.")
    else:
        _go_on(request, begun, f"Plan {plan_id} is being applied.")
    return _back(request, chosen, plan_id)


@company_page
@by_button
def roll_back(request: HttpRequest, chosen: CurrentCompany, plan_id: int) -> HttpResponse:
    """Form: `reason`."""
    _require_admin(chosen)
    try:
        with _refusals():
            begun = start_rollback(
                company_id=chosen.company.id,
                plan_id=plan_id,
                actor=actor_of(request),
                reason=request.POST.get("reason", ""),
                now=timezone.now(),
            )
    except Refused as refused:
        return _refuse(request, chosen, plan_id, refused)
    _go_on(request, begun, f"Plan {plan_id} is being rolled back.")
    return _back(request, chosen, plan_id)


@company_page
@by_button
def turn_switch(request: HttpRequest, chosen: CurrentCompany) -> HttpResponse:
    """Form: `turn` on | off, `reason`. The kill switch of the company."""
    _require_admin(chosen)
    turn = request.POST.get("turn", "")
    if turn not in ("on", "off"):
        wrong = Refused("The kill switch is not turned.", changed=("Turn: must be on or off.",), status=422)
        return show_cloud(request, chosen, refused=wrong)
    try:
        with _refusals():
            switch = turn_kill_switch(
                company_id=chosen.company.id,
                on=turn == "on",
                actor=actor_of(request),
                reason=request.POST.get("reason", ""),
                now=timezone.now(),
            )
    except Refused as refused:
        return show_cloud(request, chosen, refused=refused)
    if not switch.on:
        messages.success(request, "The kill switch is off. What it stopped does not go on by itself.")
    elif turn == "off":
        messages.warning(request, f"Your company's kill switch is off, but {switch.because}.")
    else:
        messages.success(request, "The kill switch is on. Whatever is being applied stops before its next call.")
    return HttpResponseRedirect(reverse("cloud") + query_of(chosen))


@company_page
@by_button
def lift(request: HttpRequest, chosen: CurrentCompany, exclusion_id: int) -> HttpResponse:
    """Form: `reason`. Let the policy decide again about what is left alone for a while."""
    _require_admin(chosen)
    now = timezone.now()
    try:
        with _refusals():
            lift_exclusion(
                company_id=chosen.company.id,
                exclusion_id=exclusion_id,
                actor=actor_of(request),
                reason=request.POST.get("reason", ""),
                now=now,
            )
    except Refused as refused:
        return show_cloud(request, chosen, refused=refused)
    messages.success(request, "The policy decides about it again. Nothing is changed before a plan is approved.")
    _plan_anew(request, chosen, now)
    return HttpResponseRedirect(reverse("cloud") + query_of(chosen))


@company_page
@by_button
def price(request: HttpRequest, chosen: CurrentCompany) -> HttpResponse:
    """Form: `what` (`type` or `group`, region, name), `market`, `per_hour` (empty takes a price back), `why`."""
    _require_admin(chosen)
    kind, region, name = (*request.POST.get("what", "").split(" ", 2), "", "", "")[:3]
    per_hour = request.POST.get("per_hour", "").strip().replace(",", ".")
    now = timezone.now()
    try:
        enter_price(
            company=chosen.company,
            region=region,
            instance_type=name if kind == "type" else "",
            group=name if kind == "group" else "",
            market=request.POST.get("market", ""),
            per_hour=per_hour or None,
            actor=actor_of(request),
            because=request.POST.get("why", ""),
            now=now,
        )
    except PriceRefused as refused:
        lines = tuple(f"{_PRICE_FIELDS[problem.field]}: {problem.message}" for problem in refused.problems)
        return show_cloud(request, chosen, refused=Refused("The price is not kept.", changed=lines, status=422))
    except CloudUnavailable as unavailable:
        return show_cloud(request, chosen, refused=Refused(_sentence(unavailable)))
    messages.success(request, "The price is kept." if per_hour else "The price is taken back.")
    _plan_anew(request, chosen, now)
    return HttpResponseRedirect(reverse("cloud") + query_of(chosen))


def _plan_anew(request: HttpRequest, chosen: CurrentCompany, now: datetime) -> None:
    try:
        plan_scaling(company_id=chosen.company.id, now=now)
    except (CloudUnavailable, InvalidPolicy) as problem:
        messages.warning(request, f"The plan follows once the cloud can be looked at again: {problem}.")


def _require_admin(chosen: CurrentCompany) -> None:
    if chosen.role != Role.ADMIN.value:
        raise PermissionDenied("Your cloud is changed by an admin of the company.")


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn what the services refuse into one sentence for the page."""
    try:
        yield
    except PlanNotFound as missing:
        raise Http404("There is no such plan.") from missing
    except NotAllowed as refused:
        raise Refused(_sentence(refused), status=422 if refused.field == "reason" else 409) from refused
    except EngineBusy as busy:
        raise Refused(_sentence(busy)) from busy
    except InvalidPolicy as broken:
        raise Refused(f"The stored policy is broken: {broken}.") from broken


def _still_newest(chosen: CurrentCompany, plan_id: int) -> None:
    """Raises Refused: another plan has taken its place since it was read, and what differs."""
    company_id = chosen.company.id
    read = find_plan(company_id=company_id, plan_id=plan_id)
    newest = newest_like(company_id=company_id, asked=read.wanted_p5_days is not None)
    if newest is not None and newest.plan_id != plan_id:
        text = f"Plan {plan_id} is the newest no more: plan {newest.plan_id} has taken its place."
        raise Refused(text, changed=what_changed(stored_plan(read), newest))


def _refuse(request: HttpRequest, chosen: CurrentCompany, plan_id: int, refused: Refused) -> HttpResponse:
    """On the page that asked. Who read a plan that is not the newest any more sees the one that is."""
    if request.POST.get("from") == "plan" and not refused.changed:
        return show_plan(request, chosen, plan_id, refused=refused)
    return show_cloud(request, chosen, refused=refused)


def _back(request: HttpRequest, chosen: CurrentCompany, plan_id: int) -> HttpResponse:
    path = reverse("cloud-plan", args=[plan_id]) if request.POST.get("from") == "plan" else reverse("cloud")
    return HttpResponseRedirect(path + query_of(chosen))


def _go_on(request: HttpRequest, begun: ScalingRun, news: str) -> None:
    """Wake a worker for a run and tell of it, or that none could be."""
    if begun.state != RunState.OPEN or wake_run(run_id=begun.pk):
        messages.success(request, f"{news} You may leave this page.")
    else:
        messages.warning(request, f"{news} No worker could be told: it begins by itself once the queue answers.")


def _sentence(refusal: Exception) -> str:
    text = str(refusal)
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
