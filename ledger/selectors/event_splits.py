"""How an event is split, and what the parts of a new split could be matched with."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from ledger.domain.outcome import JournalEntry
from ledger.models.matching import EventSplit, TransferLeg, TransferMatch
from ledger.selectors.journal import events_at
from ledger.selectors.review_queue import WaitingLeg, as_waiting, waiting_legs

MAX_OTHERS = 40


@dataclass(frozen=True, slots=True)
class SplitPart:
    """Attributes:
    event_type, category, counterparty: as the part counts.
    other: the other side of its transfer; None while it waits for it, or when it is none.
    match_id: of the match with it.
    """

    amount: Decimal
    event_type: str
    category: str
    counterparty: str
    other: JournalEntry | None
    match_id: int | None


@dataclass(frozen=True, slots=True)
class Split:
    """An event in parts. `origin` is `matcher` or a person; `is_batch`: it is several other events together."""

    split_id: int
    origin: str
    split_at: datetime
    is_batch: bool
    parts: tuple[SplitPart, ...]


def split_of(*, company_id: int, entry: JournalEntry, category: str, counterparty: str) -> Split | None:
    """Return how an event is split; None when it is one thing.

    Args:
        category, counterparty: as the whole event counts, for parts that say nothing else.
    """
    split = EventSplit.objects.filter(company_id=company_id, position=entry.position, ended_at=None).first()
    if split is None:
        return None
    legs = TransferLeg.objects.filter(company_id=company_id, position=entry.position, part__gt=0)
    match_of = {leg.part: leg.match_id for leg in legs if leg.match_id is not None}
    others: dict[int, int] = {}
    for match in TransferMatch.objects.filter(id__in=match_of.values()):
        others[match.pk] = match.in_position if match.out_position == entry.position else match.out_position
    events = events_at(company_id=company_id, positions=list(others.values()))
    parts = []
    for part in split.parts.order_by("part"):
        match_id = match_of.get(part.part)
        parts.append(
            SplitPart(
                amount=part.amount,
                event_type=part.event_type or entry.event_type,
                category=part.category or category,
                counterparty=part.counterparty or counterparty,
                other=events.get(others[match_id]) if match_id is not None else None,
                match_id=match_id,
            )
        )
    return Split(split.pk, split.origin, split.split_at, split.is_batch, tuple(parts))


def possible_others(*, company_id: int, entry: JournalEntry) -> tuple[WaitingLeg, ...]:
    """Return the waiting legs that a part of an event could be one transfer with, the nearest in time first."""
    legs = [
        leg
        for leg in waiting_legs(company_id=company_id)
        if leg.direction != entry.direction and leg.position != entry.position
    ]
    legs.sort(key=lambda leg: (abs(leg.occurred_at - entry.occurred_at), leg.position, leg.part))
    # More than are shown, since those on the event's own account fall out.
    shown = as_waiting(company_id=company_id, legs=legs[: 2 * MAX_OTHERS])
    return tuple(leg for leg in shown.values() if leg.event.account != entry.account)[:MAX_OTHERS]
