"""The review queue, and matched transfers, with the events they are about."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Count

from ledger.domain.outcome import JournalEntry
from ledger.models.matching import TransferLeg, TransferMatch
from ledger.models.review import ReviewItem, ReviewKind, ReviewState
from ledger.selectors.journal import events_at

ITEMS_PER_PAGE = 25
MAX_PARTNERS = 8


@dataclass(frozen=True, slots=True)
class Question:
    """A review item with its events, in the order they were recorded.

    Attributes:
        partners: for an unmatched leg, waiting legs of the other direction that a person may match it with.
    """

    item_id: int
    kind: str
    title: str
    state: str
    state_name: str
    account: str
    day: date
    amount: Decimal
    currency: str
    events: tuple[JournalEntry, ...]
    partners: tuple[JournalEntry, ...]
    decided_at: datetime | None
    actor: str
    reason: str

    @property
    def is_open(self) -> bool:
        return self.state == ReviewState.OPEN


@dataclass(frozen=True, slots=True)
class QueuePage:
    """Attributes:
    next_before: number of the item that the next page begins below; None at the end.
    """

    questions: tuple[Question, ...]
    next_before: int | None


@dataclass(frozen=True, slots=True)
class MatchedTransfer:
    match_id: int
    leaving: JournalEntry
    arriving: JournalEntry
    origin: str
    matched_at: datetime


def open_counts(*, company_id: int) -> dict[str, int]:
    """Return {kind: how many questions are open}."""
    rows = (
        ReviewItem.objects.filter(company_id=company_id, state=ReviewState.OPEN)
        .values_list("kind")
        .annotate(Count("id"))
    )
    return dict(rows)


def review_queue(
    *, company_id: int, state: str = ReviewState.OPEN, kind: str = "", before: int | None = None
) -> QueuePage:
    """Return a page of questions in a state, the latest first."""
    items = ReviewItem.objects.filter(company_id=company_id, state=state).select_related("account")
    if kind:
        items = items.filter(kind=kind)
    if before is not None:
        items = items.filter(id__lt=before)
    found = list(items.order_by("-id")[: ITEMS_PER_PAGE + 1])
    shown = found[:ITEMS_PER_PAGE]
    return QueuePage(_questions(company_id, shown), shown[-1].id if len(found) > ITEMS_PER_PAGE else None)


def find_question(*, company_id: int, item_id: int) -> Question | None:
    """Return one question; None when the company has none with this number."""
    items = list(ReviewItem.objects.filter(company_id=company_id, id=item_id).select_related("account"))
    return _questions(company_id, items)[0] if items else None


def _questions(company_id: int, items: list[ReviewItem]) -> tuple[Question, ...]:
    partners = _partners(company_id, [item for item in items if item.kind == ReviewKind.LEG])
    wanted = [position for item in items for position in item.positions]
    wanted += [position for positions in partners.values() for position in positions]
    events = events_at(company_id=company_id, positions=wanted)
    return tuple(
        Question(
            item_id=item.id,
            kind=item.kind,
            title=item.get_kind_display(),
            state=item.state,
            state_name=item.get_state_display(),
            account=item.account.name if item.account else "",
            day=item.day,
            amount=item.amount,
            currency=item.currency,
            events=tuple(events[position] for position in item.positions if position in events),
            partners=tuple(events[position] for position in partners.get(item.id, ()) if position in events),
            decided_at=item.decided_at,
            actor=item.actor,
            reason=item.reason,
        )
        for item in items
    )


def _partners(company_id: int, items: list[ReviewItem]) -> dict[int, list[int]]:
    """Return {item: positions of waiting legs that could be the other side}, nearest in amount and time first."""
    if not any(item.state == ReviewState.OPEN for item in items):
        return {}
    waiting = list(
        TransferLeg.objects.filter(company_id=company_id, match=None, reversed=False).order_by("-occurred_at")[
            :500
        ]
    )
    found = {}
    mine = {
        leg.position: leg
        for leg in TransferLeg.objects.filter(
            company_id=company_id, position__in=[item.positions[0] for item in items]
        )
    }
    for item in items:
        leg = mine.get(item.positions[0])
        if leg is None or item.state != ReviewState.OPEN:
            continue
        others = [
            each for each in waiting if each.direction != leg.direction and each.account_id != leg.account_id
        ]
        others.sort(
            key=lambda each: (abs(each.base_amount - leg.base_amount), abs(each.occurred_at - leg.occurred_at))
        )
        found[item.id] = [each.position for each in others[:MAX_PARTNERS]]
    return found


def latest_matches(*, company_id: int, rows: int = 10) -> tuple[MatchedTransfer, ...]:
    """Return the transfers that were matched last."""
    matches = list(
        TransferMatch.objects.filter(company_id=company_id, ended_at=None).order_by("-out_position")[:rows]
    )
    events = events_at(
        company_id=company_id,
        positions=[position for match in matches for position in (match.out_position, match.in_position)],
    )
    return tuple(
        MatchedTransfer(
            match.id, events[match.out_position], events[match.in_position], match.origin, match.matched_at
        )
        for match in matches
        if match.out_position in events and match.in_position in events
    )
