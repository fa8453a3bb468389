"""Everything there is to know of one event."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection

from ledger.domain.outcome import JournalEntry
from ledger.models.matching import TransferLeg, TransferMatch
from ledger.models.review import ReviewItem
from ledger.models.seal import Seal
from ledger.selectors.event_splits import Split, split_of
from ledger.selectors.journal import COLUMNS, events_at, find_event, journal_position
from ledger.selectors.journal_page import JournalLine, read_lines

DIGEST_BYTES = 32
# A reversal has source, type and time of its event, which the index by source finds.
_REVERSED_BY = f"""
    SELECT {COLUMNS} FROM ledger_capitalevent e JOIN ledger_account a ON a.id = e.account_id
    WHERE e.company_id = %(company)s AND e.source = %(source)s AND e.event_type = %(event_type)s
      AND e.occurred_at = %(occurred_at)s AND e.reverses = %(event_id)s
"""  # noqa: S608 - made of constants


@dataclass(frozen=True, slots=True)
class Match:
    """The other side of a transfer. `origin` is `matcher` or a person.

    Attributes:
        amount: of the other side: of a part, where that event is several things.
    """

    match_id: int
    other: JournalEntry
    amount: Decimal
    origin: str
    matched_at: datetime


@dataclass(frozen=True, slots=True)
class Doubt:
    """A question about the event in the review queue."""

    item_id: int
    kind: str
    state: str
    is_open: bool
    reason: str
    actor: str


@dataclass(frozen=True, slots=True)
class SealedIn:
    """The block of the hash chain that holds an event.

    Attributes:
        digest: of the event's row, as it was when it was sealed, in hexadecimal.
        head: the chain's value after the block, in hexadecimal.
    """

    first_position: int
    last_position: int
    digest: str
    head: str
    sealed_at: datetime


@dataclass(frozen=True, slots=True)
class EventStory:
    """Attributes:
    line: the event and how it counts.
    reverses, reversed_by: the event it takes back, and the one that took it back.
    before, after: its neighbours in the journal; None at the ends.
    head: the last position of the journal.
    split: None while it is one thing.
    seal: None while the sealer, which follows the journal, has not come to the event.
    """

    line: JournalLine
    reverses: JournalEntry | None
    reversed_by: JournalEntry | None
    match: Match | None
    split: Split | None
    doubts: tuple[Doubt, ...]
    before: JournalEntry | None
    after: JournalEntry | None
    head: int
    seal: SealedIn | None


def event_story(*, company_id: int, event_id: str) -> EventStory | None:
    """Return an event's story; None when the company has none with this id (64 hexadecimal digits)."""
    entry = find_event(company_id=company_id, event_id=event_id)
    if entry is None:
        return None
    around = events_at(company_id=company_id, positions=[entry.position - 1, entry.position + 1])
    (line,) = read_lines(company_id=company_id, entries=[entry])
    return EventStory(
        line=line,
        reverses=_reversed_event(company_id, entry),
        reversed_by=reversal_of(company_id=company_id, entry=entry),
        match=_match(company_id, entry.position),
        split=split_of(company_id=company_id, entry=entry, category=line.category, counterparty=line.counterparty),
        doubts=_doubts(company_id, entry.position),
        before=around.get(entry.position - 1),
        after=around.get(entry.position + 1),
        head=journal_position(company_id=company_id),
        seal=_seal(company_id, entry.position),
    )


def _seal(company_id: int, position: int) -> SealedIn | None:
    block = (
        Seal.objects.filter(company_id=company_id, first_position__lte=position)
        .order_by("-first_position")
        .first()
    )
    if block is None or block.last_position < position:
        return None
    place = (position - block.first_position) * DIGEST_BYTES
    return SealedIn(
        first_position=block.first_position,
        last_position=block.last_position,
        digest=bytes(block.digests)[place : place + DIGEST_BYTES].hex(),
        head=bytes(block.head).hex(),
        sealed_at=block.sealed_at,
    )


def _reversed_event(company_id: int, entry: JournalEntry) -> JournalEntry | None:
    if not entry.reverses:
        return None
    return find_event(company_id=company_id, event_id=entry.reverses, occurred_at=entry.occurred_at)


def reversal_of(*, company_id: int, entry: JournalEntry) -> JournalEntry | None:
    """Return what took an event back; None while nothing did."""
    with connection.cursor() as cursor:
        cursor.execute(
            _REVERSED_BY,
            {
                "company": company_id,
                "source": entry.source,
                "event_type": entry.event_type,
                "occurred_at": entry.occurred_at,
                "event_id": bytes.fromhex(entry.event_id),
            },
        )
        row = cursor.fetchone()
    return JournalEntry(*row) if row else None


def _match(company_id: int, position: int) -> Match | None:
    leg = TransferLeg.objects.filter(company_id=company_id, position=position, part=0).first()
    if leg is None or leg.match_id is None:
        return None
    match = TransferMatch.objects.get(id=leg.match_id)
    other = TransferLeg.objects.exclude(position=position).get(company_id=company_id, match=match)
    entry = events_at(company_id=company_id, positions=[other.position]).get(other.position)
    return Match(match.id, entry, other.amount, match.origin, match.matched_at) if entry else None


def _doubts(company_id: int, position: int) -> tuple[Doubt, ...]:
    items = ReviewItem.objects.filter(company_id=company_id, positions__contains=[position]).order_by("id")
    return tuple(
        Doubt(
            item_id=item.id,
            kind=item.get_kind_display(),
            state=item.get_state_display(),
            is_open=item.state == "open",
            reason=item.reason,
            actor=item.actor,
        )
        for item in items
    )
