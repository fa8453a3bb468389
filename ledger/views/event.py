"""One event's full story, and taking it back."""

import json

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.views.decorators.http import require_POST, require_safe

from ledger.domain.outcome import DUPLICATE, RECORDED
from ledger.providers.registry import providers
from ledger.selectors.event_story import EventStory, event_story
from ledger.selectors.provenance import EventProvenance, event_provenance
from ledger.services.pairing import take_apart
from ledger.services.reverse import MAX_REASON
from ledger.services.reverse import reverse as take_back
from ledger.views.company_page import actor_of, address, answer, company_page, may_act, require_finance
from ledger.views.current_company import CurrentCompany

ID_CHARACTERS = 64


@require_safe
@company_page
def event(request: HttpRequest, chosen: CurrentCompany, event_id: str) -> HttpResponse:
    try:
        return _show(request, chosen, event_id)
    except Http404:
        owner = _owner_among(chosen, event_id)
        if owner is None:
            raise
        return HttpResponseRedirect(address(request.path, company=owner))


def _owner_among(chosen: CurrentCompany, event_id: str) -> str | None:
    """Slug of another company of the person that has the event: a link from a tab or a colleague may come while
    they look at this one."""
    if len(event_id) != ID_CHARACTERS:
        return None
    for company in chosen.choices:
        if company != chosen.company and event_story(company_id=company.id, event_id=event_id.lower()):
            return company.slug
    return None


def _show(
    request: HttpRequest, chosen: CurrentCompany, event_id: str, *, problem: str = "", status: int = 200
) -> HttpResponse:
    story = story_of(chosen, event_id)
    # What came may hold names and addresses of customers: finance reads it.
    provenance = event_provenance(
        company_id=chosen.company.id, position=story.line.entry.position, with_content=may_act(chosen)
    )
    return answer(
        request,
        chosen,
        page="ledger/event.html",
        fragment="ledger/event_live.html",
        status=status,
        story=story,
        entry=story.line.entry,
        payload=_payload(story.line.entry.metadata),
        provenance=provenance,
        provider=_provider(provenance),
        problem=problem,
        can_reverse=not story.line.entry.reverses and story.reversed_by is None,
        can_split=_can_split(story),
        max_reason=MAX_REASON,
        zone=chosen.company.timezone,
    )


def _provider(provenance: EventProvenance | None) -> str:
    """Label of the provider that delivered the event; '' when none did."""
    if provenance is None or provenance.delivery is None:
        return ""
    name = provenance.delivery.provider
    known = providers().get(name)
    return name if known is None else known.label


def _can_split(story: EventStory) -> bool:
    """Whether to offer it; what else stands against it, the attempt says."""
    entry = story.line.entry
    taken = entry.reverses or story.reversed_by or story.match or story.split
    return not taken and entry.event_type != "credit"


def story_of(chosen: CurrentCompany, event_id: str) -> EventStory:
    """Raises:
    Http404: the company has no such event.
    """
    story = (
        event_story(company_id=chosen.company.id, event_id=event_id.lower())
        if len(event_id) == ID_CHARACTERS
        else None
    )
    if story is None:
        raise Http404("There is no such event.")
    return story


def _payload(metadata: str) -> str:
    """The metadata as its sender gave it, on lines of their own; '' when there is none."""
    value = json.loads(metadata, parse_float=str)
    if value in ({}, ""):
        return ""
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


@require_POST
@company_page
def reverse_event(request: HttpRequest, chosen: CurrentCompany, event_id: str) -> HttpResponse:
    """Append the opposite of an event, with a reason."""
    require_finance(chosen)
    story = story_of(chosen, event_id)
    outcome = take_back(
        company_id=chosen.company.id,
        event_id=story.line.entry.event_id,
        reason=request.POST.get("reason", ""),
        actor=actor_of(request),
        now=timezone.now(),
    )
    if outcome.status == RECORDED:
        messages.success(request, "The event is taken back; this is its reversal.")
    elif outcome.status == DUPLICATE:
        messages.warning(request, "The event had been taken back before; this is its reversal.")
    else:
        problem = "; ".join(f"{each.field} {each.message}" for each in outcome.problems)
        return _show(request, chosen, event_id, problem=capfirst(problem), status=422)
    return HttpResponseRedirect(reverse("event", args=(outcome.event_id,)))


@require_POST
@company_page
def take_match_apart(request: HttpRequest, chosen: CurrentCompany, match_id: int) -> HttpResponse:
    """End a match of two legs, for good."""
    require_finance(chosen)
    ended = take_apart(
        company_id=chosen.company.id,
        match_id=match_id,
        actor=actor_of(request),
        reason=request.POST.get("reason", "").strip()[:MAX_REASON],
        now=timezone.now(),
    )
    if ended:
        messages.success(request, "The two are no longer one transfer; each counts as it was recorded.")
    else:
        messages.warning(request, "There is no such match any more.")
    return HttpResponseRedirect(reverse("reconcile"))
