"""The review queue, and matched transfers, with the events they are about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Count

from ledger.domain.outcome import JournalEntry
from ledger.domain.transfer_matching import leg_name, read_leg_name
from ledger.models.matching import TransferLeg, TransferMatch
from ledger.models.review import ReviewItem, ReviewKind, ReviewState
from ledger.selectors.journal import events_at

ITEMS_PER_PAGE = 25
MAX_PARTNERS = 8
MAX_WAITING = 500


@dataclass(frozen=True, slots=True)
class Question:
    """A review item with its events, in the order they were recorded; of a batch, the one event first.

    Attributes:
        subject: names of its legs, or what else it is about (see `ReviewItem`).
        partners: for an unmatched leg, waiting legs of the other direction that a person may match it with.
    """

    item_id: int
    kind: str
    subject: str
    title: str
    state: str
    state_name: str
    account: str
    day: date
    amount: Decimal
    currency: str
    events: tuple[JournalEntry, ...]
    partners: tuple["WaitingLeg", ...]
    decided_at: datetime | None
    actor: str
    reason: str

    @property
    def is_part(self) -> bool:
        """Whether it is about a part of a split event."""
        return self.kind == ReviewKind.LEG and "." in self.subject

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
class WaitingLeg:
    """A side of a transfer whose other side is not known.

    Attributes:
        name: as `leg_name` has it.
        amount: of the part, where the event was split.
    """

    name: str
    event: JournalEntry
    amount: Decimal
    is_part: bool


@dataclass(frozen=True, slots=True)
class MatchedTransfer:
    """Attributes:
    left, arrived: the amounts, of the part where an event was split.
    """

    match_id: int
    leaving: JournalEntry
    arriving: JournalEntry
    left: Decimal
    arrived: Decimal
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
    open_legs = {
        item.id: read_leg_name(item.subject)
        for item in items
        if item.kind == ReviewKind.LEG and item.state == ReviewState.OPEN
    }
    partners = _partners(company_id, open_legs)
    events = events_at(
        company_id=company_id, positions=[position for item in items for position in item.positions]
    )
    return tuple(
        Question(
            item_id=item.id,
            kind=item.kind,
            subject=item.subject,
            title=item.get_kind_display(),
            state=item.state,
            state_name=item.get_state_display(),
            account=item.account.name if item.account else "",
            day=item.day,
            amount=item.amount,
            currency=item.currency,
            events=tuple(events[position] for position in item.positions if position in events),
            partners=partners.get(item.id, ()),
            decided_at=item.decided_at,
            actor=item.actor,
            reason=item.reason,
        )
        for item in items
    )


def _partners(company_id: int, wanted: dict[int, tuple[int, int]]) -> dict[int, tuple[WaitingLeg, ...]]:
    """Return {item: waiting legs that could be the other side}, nearest in amount and time first."""
    if not wanted:
        return {}
    waiting = waiting_legs(company_id=company_id)
    mine = {
        (leg.position, leg.part): leg
        for leg in TransferLeg.objects.filter(
            company_id=company_id, position__in=[position for position, _ in wanted.values()]
        )
    }
    found: dict[int, list[TransferLeg]] = {}
    for number, key in wanted.items():
        leg = mine.get(key)
        if leg is not None:
            found[number] = possible_sides(waiting, leg)[:MAX_PARTNERS]
    shown = as_waiting(company_id=company_id, legs=[each for legs in found.values() for each in legs])
    return {
        number: tuple(
            shown[name] for name in (leg_name(each.position, each.part) for each in legs) if name in shown
        )
        for number, legs in found.items()
    }


def waiting_legs(*, company_id: int) -> list[TransferLeg]:
    """Return the latest legs that wait for their other side."""
    waiting = TransferLeg.objects.filter(company_id=company_id, match=None, reversed=False, is_split=False)
    return list(waiting.order_by("-occurred_at", "-position", "-part")[:MAX_WAITING])


def possible_sides(waiting: Sequence[TransferLeg], leg: TransferLeg) -> list[TransferLeg]:
    """Return the waiting legs that could be the other side of one, nearest in amount and time first."""
    others = [
        each
        for each in waiting
        if each.direction != leg.direction and each.account_id != leg.account_id and each.position != leg.position
    ]
    return sorted(
        others,
        key=lambda each: (abs(each.base_amount - leg.base_amount), abs(each.occurred_at - leg.occurred_at)),
    )


def as_waiting(*, company_id: int, legs: Sequence[TransferLeg]) -> dict[str, WaitingLeg]:
    """Return legs with their events, by name."""
    events = events_at(company_id=company_id, positions=[leg.position for leg in legs])
    return {
        leg_name(leg.position, leg.part): WaitingLeg(
            leg_name(leg.position, leg.part), events[leg.position], leg.amount, bool(leg.part)
        )
        for leg in legs
        if leg.position in events
    }


def latest_matches(*, company_id: int, rows: int = 10) -> tuple[MatchedTransfer, ...]:
    """Return the transfers that were matched last."""
    matches = list(
        TransferMatch.objects.filter(company_id=company_id, ended_at=None).order_by("-out_position", "-out_part")[
            :rows
        ]
    )
    positions = [position for match in matches for position in (match.out_position, match.in_position)]
    events = events_at(company_id=company_id, positions=positions)
    amounts = {
        (leg.position, leg.part): leg.amount
        for leg in TransferLeg.objects.filter(company_id=company_id, position__in=positions)
    }
    return tuple(
        MatchedTransfer(
            match.id,
            events[match.out_position],
            events[match.in_position],
            amounts[match.out_position, match.out_part],
            amounts[match.in_position, match.in_part],
            match.origin,
            match.matched_at,
        )
        for match in matches
        if match.out_position in events and match.in_position in events
    )
