"""The page that says what the least is to take away for a wanted runway. Nothing is planned or changed by it."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from cloudpolicy.engine.document import InvalidPolicy
from cloudpolicy.services.aws import CloudUnavailable
from cloudpolicy.services.cheapest_steps import CheapestSteps, UnreachableTarget, cheapest_steps
from cloudpolicy.services.p5_by_saving import NoCurve
from cloudpolicy.views.call_words import Change, changes, place_words
from cloudpolicy.views.cloud import query_of
from cloudpolicy.views.worth_words import Worth, worth_of
from ledger.domain.company import CompanyRef
from ledger.views.company_page import answer, company_page, is_fragment
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
    """Query: `days`, the cautious runway that is wanted. Without it the page only asks."""
    asked = request.GET.get("days", "").strip()
    found, problem = _found(chosen.company, asked) if asked else (None, "")
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
        query=query_of(chosen),
        zone=chosen.company.timezone,
    )


def _found(company: CompanyRef, asked: str) -> tuple[CheapestSteps | None, str]:
    if not (asked.isascii() and asked.isdecimal() and len(asked) <= MOST_DIGITS):
        return None, "must be a whole number of days"
    try:
        return cheapest_steps(company=company, wanted_p5_days=int(asked), now=timezone.now()), ""
    except UnreachableTarget as wrong:
        return None, str(wrong)
    except NoCurve as unknown:
        return None, f"cannot be looked for: {unknown}"
    except CloudUnavailable as unavailable:
        return None, f"cannot be looked for, as the groups cannot be read: {unavailable}"
    except InvalidPolicy as broken:
        return None, f"cannot be looked for, as the stored policy is broken: {broken}"


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
