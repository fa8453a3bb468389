"""Taking an event apart into what it is, and putting it together again. Only the read side follows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, models, transaction

from ledger.domain.account import CASH_KINDS
from ledger.domain.money import plain
from ledger.domain.outcome import JournalEntry
from ledger.domain.split import CannotSplit, Part, check_parts, shares
from ledger.domain.transfer_matching import leg_name
from ledger.models.account import Account
from ledger.models.matching import EventPart, EventSplit, TransferLeg, TransferMatch
from ledger.models.review import ReviewItem, ReviewKind, ReviewState
from ledger.selectors.event_story import reversal_of
from ledger.selectors.journal import events_at, journal_position
from ledger.services.announce import announce_advance
from ledger.services.matches import KEEP_LEG, LegKey, finish_matches, hold_matcher, make_match
from ledger.services.questions import Question, ask, settle_legs
from ledger.services.readings import PartReading, read_parts, read_whole

_KEEP_WHOLE = f"""
    {KEEP_LEG} FROM ledger_capitalevent e
    WHERE e.company_id = %(company)s AND e.event_id = %(event)s AND e.occurred_at = %(at)s
    ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class WantedPart:
    """Attributes:
    other: position and part of the leg that this part is one transfer with; None: it has none, or waits for it.
    """

    part: Part
    other: LegKey | None = None


def split_by_hand(
    *, company_id: int, position: int, wanted: Sequence[WantedPart], actor: str, now: datetime
) -> EventSplit:
    """Split an event into parts on a person's word, and match those whose other side is named.

    Raises:
        CannotSplit: the event cannot be split, or not so; nothing was kept then.
    """
    with transaction.atomic():
        hold_matcher(company_id=company_id)
        entry = _splittable(company_id, position)
        parts = [each.part for each in wanted]
        check_parts(parts, amount=entry.amount, event_type=entry.event_type, direction=entry.direction)
        others = [_other(company_id, entry, place, each) for place, each in enumerate(wanted)]
        named = [other.pk for other in others if other is not None]
        if len(named) != len(set(named)):
            raise CannotSplit("two parts cannot be one transfer with the same event", field="other")
        split = _split(company_id, entry, parts, is_batch=False, origin=actor, now=now)
        for kept, other in zip(split.parts.order_by("part"), others, strict=True):
            if other is not None:
                mine, theirs = (position, kept.part), (other.position, other.part)
                out, into = (mine, theirs) if entry.direction == "out" else (theirs, mine)
                make_match(company_id=company_id, out=out, into=into, origin=actor, now=now)
    announce_advance(company_id=company_id, position=journal_position(company_id=company_id))
    return split


def _splittable(company_id: int, position: int) -> JournalEntry:
    entry = events_at(company_id=company_id, positions=[position]).get(position)
    if entry is None:
        raise CannotSplit("there is no such event")
    kind = Account.objects.values_list("kind", flat=True).get(company_id=company_id, name=entry.account)
    if kind not in CASH_KINDS or entry.event_type == "credit":
        raise CannotSplit("the event moves no cash")
    if entry.reverses:
        raise CannotSplit("the event is a reversal; split what it takes back instead")
    if reversal_of(company_id=company_id, entry=entry) is not None:
        raise CannotSplit("the event was reversed")
    if _is_for_a_contract(company_id, entry):
        raise CannotSplit("the event pays for a contract, which is earned over its term as a whole")
    if EventSplit.objects.filter(company_id=company_id, position=position, ended_at=None).exists():
        raise CannotSplit("the event is split already; put it together first")
    if TransferLeg.objects.filter(company_id=company_id, position=position, match__isnull=False).exists():
        raise CannotSplit("the event is one transfer with another; take the two apart first")
    return entry


def _is_for_a_contract(company_id: int, entry: JournalEntry) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT metadata ? 'contract' FROM ledger_capitalevent
            WHERE company_id = %s AND event_id = %s AND occurred_at = %s
            """,
            [company_id, bytes.fromhex(entry.event_id), entry.occurred_at],
        )
        return bool(cursor.fetchone()[0])


def _other(company_id: int, entry: JournalEntry, place: int, wanted: WantedPart) -> TransferLeg | None:
    if wanted.other is None:
        return None
    if wanted.part.event_type != "transfer":
        raise CannotSplit("only a transfer has another side", part=place, field="other")
    position, part = wanted.other
    leg = (
        TransferLeg.objects.select_for_update()
        .filter(company_id=company_id, position=position, part=part, reversed=False, is_split=False, match=None)
        .select_related("account")
        .first()
    )
    if leg is None:
        raise CannotSplit("the other side does not wait any more", part=place, field="other")
    if leg.direction == entry.direction or leg.account.name == entry.account:
        raise CannotSplit("a transfer leaves one account and reaches another", part=place, field="other")
    if leg.currency == entry.currency and leg.amount != wanted.part.amount:
        raise CannotSplit(f"is {plain(wanted.part.amount)}, but its other side is {plain(leg.amount)}", part=place)
    return leg


def split_batch(
    *, company_id: int, one: LegKey, many: Sequence[LegKey], origin: str, now: datetime
) -> tuple[EventSplit, bool]:
    """Split an event into what its other sides come to, and match each part with one of them.

    Inside the caller's transaction, which holds the matcher.

    Returns:
        The split, and whether an event counts as something else now.

    Raises:
        CannotSplit: one of them does not wait any more, or they do not add up.
    """
    legs = {
        (leg.position, leg.part): leg
        for leg in TransferLeg.objects.select_for_update().filter(
            company_id=company_id,
            position__in=[position for position, _ in many],
            reversed=False,
            is_split=False,
            match=None,
        )
    }
    if any(key not in legs for key in many):
        raise CannotSplit("one of the events has been matched or taken back meanwhile")
    entry = _splittable(company_id, one[0])
    members = [legs[key] for key in many]
    if len({leg.account_id for leg in members}) > 1 or any(
        leg.currency != entry.currency or leg.direction == entry.direction for leg in members
    ):
        raise CannotSplit("a batch leaves one account and reaches another, in one currency")
    parts = [Part(leg.amount, "transfer") for leg in members]
    check_parts(parts, amount=entry.amount, event_type=entry.event_type, direction=entry.direction)
    split = _split(company_id, entry, parts, is_batch=True, origin=origin, now=now)
    changed = entry.event_type != "transfer"
    for kept, key in zip(split.parts.order_by("part"), many, strict=True):
        mine = (one[0], kept.part)
        out, into = (mine, key) if entry.direction == "out" else (key, mine)
        changed |= make_match(company_id=company_id, out=out, into=into, origin=origin, now=now)
    return split, changed


def _split(
    company_id: int, entry: JournalEntry, parts: Sequence[Part], *, is_batch: bool, origin: str, now: datetime
) -> EventSplit:
    event_id = bytes.fromhex(entry.event_id)
    # Numbers go on where an earlier split ended: what was said about its parts is not said about these.
    highest = EventPart.objects.filter(company_id=company_id, event_id=event_id).aggregate(models.Max("part"))
    first = (highest["part__max"] or 0) + 1
    split = EventSplit.objects.create(
        company_id=company_id,
        position=entry.position,
        event_id=event_id,
        is_batch=is_batch,
        origin=origin,
        split_at=now,
    )
    bases = shares(entry.base_amount, [part.amount for part in parts])
    readings = [
        PartReading(
            part=number,
            amount=part.amount,
            base_amount=base,
            event_type=None if part.event_type in ("", entry.event_type) else part.event_type,
            category=part.category or None,
            counterparty=part.counterparty or None,
        )
        for number, (part, base) in enumerate(zip(parts, bases, strict=True), start=first)
    ]
    read_parts(
        company_id=company_id,
        event_id=event_id,
        occurred_at=entry.occurred_at,
        split_id=split.pk,
        parts=readings,
    )
    with connection.cursor() as cursor:
        cursor.execute(_KEEP_WHOLE, {"company": company_id, "event": event_id, "at": entry.occurred_at})
    whole = TransferLeg.objects.get(company_id=company_id, position=entry.position, part=0)
    TransferLeg.objects.filter(pk=whole.pk).update(is_split=True)
    TransferLeg.objects.bulk_create(
        TransferLeg(
            company_id=company_id,
            position=entry.position,
            part=reading.part,
            event_id=event_id,
            account_id=whole.account_id,
            source=entry.source,
            event_type="transfer",
            direction=entry.direction,
            amount=reading.amount,
            currency=entry.currency,
            base_amount=reading.base_amount,
            occurred_at=entry.occurred_at,
            counterparty=reading.counterparty or entry.counterparty,
            stated_rate=whole.stated_rate,
        )
        for reading, part in zip(readings, parts, strict=True)
        if (part.event_type or entry.event_type) == "transfer"
    )
    settle_legs(
        company_id=company_id, legs={leg_name(entry.position)}, now=now, reason="the event was split into parts"
    )
    return split


def put_together(*, company_id: int, split_id: int, actor: str, reason: str, now: datetime) -> bool:
    """Count a split event as one thing again, on a person's word; false when it was put together already.

    The matches of its parts end. A batch that is taken apart so is not suggested again, unless somebody asks to.
    """
    with transaction.atomic():
        hold_matcher(company_id=company_id)
        split = EventSplit.objects.filter(id=split_id, company_id=company_id, ended_at=None).first()
        if split is None:
            return False
        if split.is_batch:
            _refuse_batch(split, actor=actor, reason=reason, now=now)
        end_splits(company_id=company_id, splits=[split], actor=actor, reason=reason, now=now)
    announce_advance(company_id=company_id, position=journal_position(company_id=company_id))
    return True


def end_splits(*, company_id: int, splits: Sequence[EventSplit], actor: str, reason: str, now: datetime) -> bool:
    """Put events together again, inside the caller's transaction, which holds the matcher."""
    if not splits:
        return False
    positions = [split.position for split in splits]
    parts = TransferLeg.objects.filter(company_id=company_id, position__in=positions, part__gt=0)
    matches = [leg.match_id for leg in parts if leg.match_id is not None]
    finish_matches(company_id=company_id, match_ids=matches, actor=actor, reason=reason, now=now)
    names = {leg_name(leg.position, leg.part) for leg in parts}
    settle_legs(company_id=company_id, legs=names, now=now, reason="the event was put together again")
    wholes = list(TransferLeg.objects.filter(company_id=company_id, position__in=positions, part=0))
    read_whole(company_id=company_id, events=[(bytes(whole.event_id), whole.occurred_at) for whole in wholes])
    parts.delete()
    TransferLeg.objects.filter(company_id=company_id, position__in=positions, part=0).update(is_split=False)
    EventSplit.objects.filter(id__in=[split.pk for split in splits]).update(
        ended_at=now, ended_by=actor, end_reason=reason
    )
    return True


def splits_of_matches(*, company_id: int, match_ids: Sequence[int]) -> list[EventSplit]:
    """Return the batches that any of these matches is part of."""
    positions = TransferLeg.objects.filter(company_id=company_id, match_id__in=match_ids, part__gt=0).values_list(
        "position", flat=True
    )
    return list(
        EventSplit.objects.filter(company_id=company_id, position__in=set(positions), is_batch=True, ended_at=None)
    )


def batch_members(*, company_id: int, position: int) -> list[LegKey]:
    """Return the other sides of the parts of an event, by their names."""
    found = TransferMatch.objects.filter(company_id=company_id, ended_at=None)
    leaving = found.filter(out_position=position, out_part__gt=0).values_list("in_position", "in_part")
    arriving = found.filter(in_position=position, in_part__gt=0).values_list("out_position", "out_part")
    return sorted([*leaving, *arriving], key=lambda key: leg_name(*key))


def _refuse_batch(split: EventSplit, *, actor: str, reason: str, now: datetime) -> None:
    members = batch_members(company_id=split.company_id, position=split.position)
    whole = TransferLeg.objects.select_related("account", "company").get(
        company_id=split.company_id, position=split.position, part=0
    )
    subject = "-".join([leg_name(split.position), *(leg_name(*key) for key in members)])
    ask(
        [
            Question(
                kind=ReviewKind.BATCH,
                subject=subject,
                account_id=whole.account_id,
                positions=(split.position, *(position for position, _ in members)),
                at=whole.occurred_at,
                amount=whole.amount,
                currency=whole.currency,
            )
        ],
        company_id=split.company_id,
        timezone=whole.company.timezone,
        now=now,
    )
    ReviewItem.objects.filter(company_id=split.company_id, kind=ReviewKind.BATCH, subject=subject).update(
        state=ReviewState.DISMISSED, decided_at=now, actor=actor, reason=reason
    )
