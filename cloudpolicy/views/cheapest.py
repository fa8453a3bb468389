"""The page that says what the least is to take away for a wanted runway, and makes a plan of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, tzinfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from cloudpolicy.engine.document import InvalidPolicy
from cloudpolicy.engine.reason import Reason
from cloudpolicy.services.aws import CloudUnavailable
from cloudpolicy.services.cheapest_plan import plan_cheapest
from cloudpolicy.services.cheapest_steps import CheapestSteps, UnreachableTarget, cheapest_steps
from cloudpolicy.services.p5_by_saving import NoCurve
from cloudpolicy.services.reason_words import reason_words
from cloudpolicy.views.by_button import by_button
from cloudpolicy.views.call_words import Change, changes, place_words
from cloudpolicy.views.cloud import query_of
from cloudpolicy.views.worth_words import Worth, worth_of
from ledger.domain.company import CompanyRef
from ledger.views.company_page import answer, company_page, is_fragment, local_now
from ledger.views.current_company import CurrentCompany

MOST_DIGITS = 5


@dataclass(frozen=True, slots=True)
class StepRow:
    """One group made smaller."""

    group: str
    environment: str
    place: str
    changes: tuple[Change, ...]
    worth: Worth


@require_safe
@company_page
def cheapest(request: HttpRequest, chosen: CurrentCompany) -> HttpResponse:
    """Query: `days`, the cautious runway that is wanted, or `p5` as in the API. Without it the page only asks."""
    asked = (request.GET.get("days") or request.GET.get("p5", "")).strip()
    try:
        found = _found(chosen.company, asked) if asked else None
    except _CannotBeSaid as problem:
        return _show(request, chosen, asked=asked, problem=str(problem))
    return _show(request, chosen, asked=asked, found=found)


@company_page
@by_button
def plan_steps(request: HttpRequest, chosen: CurrentCompany) -> HttpResponse:
    """Form: `days`. Makes the steps a plan that waits for approval; every member may, since nothing is changed."""
    asked = request.POST.get("days", "").strip()
    try:
        with _said_plainly():
            plan = plan_cheapest(
                company_id=chosen.company.id, wanted_p5_days=_whole_days(asked), now=timezone.now()
            )
    except _CannotBeSaid as problem:
        return _show(request, chosen, asked=asked, problem=str(problem))
    if plan.calls:
        messages.success(
            request, f"Plan {plan.plan_id} is made. It changes nothing before it is approved and applied."
        )
    else:
        messages.warning(request, f"Plan {plan.plan_id} takes nothing away; why stands below.")
    return HttpResponseRedirect(reverse("cloud-plan", args=[plan.plan_id]) + query_of(chosen))


def _show(
    request: HttpRequest,
    chosen: CurrentCompany,
    *,
    asked: str,
    found: CheapestSteps | None = None,
    problem: str = "",
) -> HttpResponse:
    return answer(
        request,
        chosen,
        page="cloudpolicy/cheapest.html",
        fragment="cloudpolicy/cheapest_live.html",
        # htmx leaves refusals alone; what is wrong must be swapped in.
        status=422 if problem and not is_fragment(request) else 200,
        asked=asked,
        problem=problem,
        found=found,
        steps=_rows(found) if found else (),
        left_out=_left_out(found, local_now(chosen).tzinfo) if found else (),
        query=query_of(chosen),
        zone=chosen.company.timezone,
    )


class _CannotBeSaid(Exception):
    """Why there is no answer, to be read right after the field."""


def _found(company: CompanyRef, asked: str) -> CheapestSteps:
    with _said_plainly():
        return cheapest_steps(company=company, wanted_p5_days=_whole_days(asked), now=timezone.now())


@contextmanager
def _said_plainly() -> Iterator[None]:
    try:
        yield
    except UnreachableTarget as wrong:
        raise _CannotBeSaid(str(wrong)) from wrong
    except NoCurve as unknown:
        raise _CannotBeSaid(f"cannot be looked for: {unknown}") from unknown
    except CloudUnavailable as unavailable:
        raise _CannotBeSaid(f"cannot be looked for, as the groups cannot be read: {unavailable}") from unavailable
    except InvalidPolicy as broken:
        raise _CannotBeSaid(f"cannot be looked for, as the stored policy is broken: {broken}") from broken


def _whole_days(asked: str) -> int:
    if not (asked.isascii() and asked.isdecimal() and len(asked) <= MOST_DIGITS):
        raise UnreachableTarget("must be a whole number of days")
    return int(asked)


def _left_out(found: CheapestSteps, zone: tzinfo | None) -> list[str]:
    return [reason_words(Reason("not_counted", each), zone=zone or UTC) for each in found.left_out]


def _rows(found: CheapestSteps) -> tuple[StepRow, ...]:
    return tuple(
        StepRow(
            group=step.call.group,
            environment=step.call.environment,
            place=place_words(step.call.account, step.call.region),
            changes=changes(step.call.before, step.call.after),
            worth=worth_of(step.worth, currency=found.currency),
        )
        for step in found.steps
    )
