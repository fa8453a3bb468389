"""Splitting an event into what it is, and putting it together again."""

from dataclasses import dataclass, replace
from decimal import Decimal

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.views.decorators.http import require_http_methods, require_POST

from ledger.domain.money import plain
from ledger.domain.outcome import JournalEntry
from ledger.domain.split import MAX_PARTS, MIN_PARTS, CannotSplit, Part, types_of_parts
from ledger.domain.transfer_matching import read_leg_name
from ledger.selectors.event_splits import possible_others
from ledger.selectors.event_story import EventStory
from ledger.selectors.review_queue import WaitingLeg
from ledger.services.reverse import MAX_REASON
from ledger.services.splits import WantedPart, put_together, split_by_hand
from ledger.views.company_page import actor_of, answer, company_page, require_finance
from ledger.views.current_company import CurrentCompany
from ledger.views.event import story_of
from ledger.views.typed_amount import NotAnAmount, typed_amount

# What stands before the name of a leg in the choice of what a part counts as.
WITH = "with:"


@dataclass(frozen=True, slots=True)
class Line:
    """A part as it was typed. `counts_as` is a type, or `with:` and the name of the leg that is its other side."""

    amount: str = ""
    counts_as: str = ""
    category: str = ""
    counterparty: str = ""
    problem_field: str = ""
    problem: str = ""


@require_http_methods(["GET", "HEAD", "POST"])
@company_page
def split_event(request: HttpRequest, chosen: CurrentCompany, event_id: str) -> HttpResponse:
    """Form: `amount`, `counts_as`, `category` and `counterparty` once per part; `more` asks for one more part.

    One amount may be left empty: it takes what the others leave over. A part with an other side and no amount
    takes that of the other side.
    """
    require_finance(chosen)
    story = story_of(chosen, event_id)
    entry = story.line.entry
    others = possible_others(company_id=chosen.company.id, entry=entry)
    if request.method != "POST":
        return _show(request, chosen, story, others, [Line(), Line()])
    lines = _typed(request)
    if "more" in request.POST:
        return _show(request, chosen, story, others, [*lines, Line()][:MAX_PARTS])
    try:
        split_by_hand(
            company_id=chosen.company.id,
            position=entry.position,
            wanted=_wanted(lines, entry=entry, others={leg.name: leg for leg in others}),
            actor=actor_of(request),
            now=timezone.now(),
        )
    except CannotSplit as error:
        said = capfirst(f"{error}.")
        if error.part is not None:
            field = "counts_as" if error.field in ("other", "event_type") else error.field
            lines[error.part] = replace(lines[error.part], problem_field=field, problem=said)
            said = f"Part {error.part + 1}: {error}."
        return _show(request, chosen, story, others, lines, problem=said, status=422)
    messages.success(request, "The event counts as its parts now. Nothing in the journal changed.")
    return HttpResponseRedirect(reverse("event", args=(entry.event_id,)))


def _typed(request: HttpRequest) -> list[Line]:
    columns = [
        request.POST.getlist(name)[:MAX_PARTS] for name in ("amount", "counts_as", "category", "counterparty")
    ]
    count = max(MIN_PARTS, *map(len, columns))
    filled = [[*column, *[""] * (count - len(column))] for column in columns]
    return [Line(*(text.strip() for text in row)) for row in zip(*filled, strict=True)]


def _wanted(lines: list[Line], *, entry: JournalEntry, others: dict[str, WaitingLeg]) -> list[WantedPart]:
    """Read the parts; lines that say nothing at all are left out at the end.

    Raises:
        CannotSplit: an amount or a choice that cannot be read.
    """
    said = list(lines)
    while len(said) > MIN_PARTS and said[-1] == Line(counts_as=said[-1].counts_as):
        said.pop()
    amounts = [_amount(line, place, others) for place, line in enumerate(said)]
    if amounts.count(None) == 1:
        rest = entry.amount - sum((amount for amount in amounts if amount is not None), Decimal(0))
        amounts[amounts.index(None)] = rest
    wanted = []
    for place, (line, amount) in enumerate(zip(said, amounts, strict=True)):
        if amount is None:
            raise CannotSplit("only one amount may be left empty", part=place)
        counts_as, other = line.counts_as, None
        if counts_as.startswith(WITH):
            try:
                counts_as, other = "transfer", read_leg_name(counts_as.removeprefix(WITH))
            except ValueError as error:
                raise CannotSplit(str(error), part=place, field="other") from None
        wanted.append(WantedPart(Part(amount, counts_as, line.category, line.counterparty), other))
    return wanted


def _amount(line: Line, place: int, others: dict[str, WaitingLeg]) -> Decimal | None:
    other = others.get(line.counts_as.removeprefix(WITH)) if line.counts_as.startswith(WITH) else None
    if not line.amount:
        return other.amount if other is not None else None
    try:
        return typed_amount(line.amount)
    except NotAnAmount:
        raise CannotSplit("must be a number such as 1,250.00", part=place) from None


def _show(
    request: HttpRequest,
    chosen: CurrentCompany,
    story: EventStory,
    others: tuple[WaitingLeg, ...],
    lines: list[Line],
    *,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    entry = story.line.entry
    types = types_of_parts(event_type=entry.event_type, direction=entry.direction)
    return answer(
        request,
        chosen,
        page="ledger/split.html",
        fragment="ledger/split_live.html",
        status=status,
        entry=entry,
        line=story.line,
        lines=lines,
        types=[(name, _label(name, recorded=entry.event_type)) for name in types],
        others=[(f"{WITH}{leg.name}", leg) for leg in others],
        whole=plain(entry.amount),
        can_add=len(lines) < MAX_PARTS,
        problem=problem,
        zone=chosen.company.timezone,
    )


def _label(event_type: str, *, recorded: str) -> str:
    if event_type == "transfer":
        return "Transfer, its other side is not here"
    return f"{event_type.capitalize()}, as recorded" if event_type == recorded else event_type.capitalize()


@require_POST
@company_page
def end_split(request: HttpRequest, chosen: CurrentCompany, split_id: int) -> HttpResponse:
    """Form: `reason`. Count a split event as one thing again."""
    require_finance(chosen)
    ended = put_together(
        company_id=chosen.company.id,
        split_id=split_id,
        actor=actor_of(request),
        reason=request.POST.get("reason", "").strip()[:MAX_REASON],
        now=timezone.now(),
    )
    if ended:
        messages.success(request, "The event counts as one thing again; what its parts were matched with waits.")
    else:
        messages.warning(request, "There is no such split any more.")
    return HttpResponseRedirect(reverse("reconcile"))
