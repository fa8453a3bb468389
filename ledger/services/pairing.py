"""Matching legs of transfers, and taking matches apart. The read side follows; no event is touched."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, models, transaction

from ledger.domain.batches import Batch, find_batches
from ledger.domain.transfer_matching import (
    EARLIEST_ARRIVAL,
    LATEST_ARRIVAL,
    Leg,
    Pair,
    leg_name,
    match_legs,
    read_leg_name,
)
from ledger.models.matching import EventSplit, TransferLeg, TransferMatch
from ledger.models.review import ReviewItem, ReviewKind, ReviewState
from ledger.selectors.journal import journal_position
from ledger.services.announce import announce_advance
from ledger.services.matches import MATCHER, LegKey, finish_matches, hold_matcher, make_match
from ledger.services.questions import Question, ask, settle_legs
from ledger.services.splits import end_splits, put_together, split_batch, splits_of_matches

# How far around new legs the pairs are looked at again: one arrival may free a leg for a better one.
REACH = LATEST_ARRIVAL - EARLIEST_ARRIVAL

# Legs that wait or that the matcher matched, and the parts that it made: what a person decided is left alone.
_LEGS = """
    SELECT l.position, l.account_id, a.name, a.kind, l.event_type, l.direction, l.amount, l.currency,
           l.base_amount, l.occurred_at, l.counterparty, l.stated_rate, l.part, s.id
    FROM ledger_transferleg l JOIN ledger_account a ON a.id = l.account_id
    LEFT JOIN ledger_transfermatch m ON m.id = l.match_id
    LEFT JOIN ledger_eventsplit s
           ON s.company_id = l.company_id AND s.position = l.position AND s.ended_at IS NULL
          AND s.is_batch AND s.origin = 'matcher'
    WHERE l.company_id = %s AND NOT l.reversed AND l.occurred_at BETWEEN %s AND %s
      AND (l.match_id IS NULL OR m.origin = 'matcher') AND (NOT l.is_split OR s.id IS NOT NULL)
"""


@dataclass(frozen=True, slots=True)
class _Around:
    """What the matcher may match, and what it has matched of it.

    Attributes:
        legs: by name; of a batch the whole event.
        pairs: {number of the match: names of the leaving and the arriving leg}.
        batches: {number of the split: name of the batch}.
    """

    legs: dict[str, Leg] = field(default_factory=dict)
    pairs: dict[int, tuple[str, str]] = field(default_factory=dict)
    batches: dict[int, str] = field(default_factory=dict)


def pair_legs(*, company_id: int, around: tuple[datetime, datetime], now: datetime) -> bool:
    """Match the legs around an interval anew: what is plain at once, the rest as questions.

    What a person matched, split or took apart stays so. What the matcher matched may be matched better, now that
    more is known, so that the result hardly depends on which feed spoke first. Two legs of one amount go before a
    sum of several.

    Returns:
        Whether an event counts as something else than before.
    """
    found = _look_around(company_id, around)
    apart = _taken_apart(company_id, [leg.key for leg in found.legs.values()])
    pairs = match_legs(found.legs.values(), forbidden=lambda out, into: (out.name, into.name) in apart)
    paired = {leg.name for pair in pairs for leg in (pair.leaving, pair.arriving)}
    batches = find_batches(leg for name, leg in found.legs.items() if name not in paired)
    refused = _refused_batches(company_id, [leg.key for leg in found.legs.values()])
    batches = tuple(batch for batch in batches if batch.name not in refused)
    sure = {(pair.leaving.name, pair.arriving.name) for pair in pairs if pair.sure}
    plain = {batch.name: batch for batch in batches if batch.sure}
    outdated = [number for number, name in found.batches.items() if name not in plain]
    changed = end_splits(
        company_id=company_id,
        splits=list(EventSplit.objects.filter(id__in=outdated)),
        actor=MATCHER,
        reason="another match fits better",
        now=now,
    )
    changed |= finish_matches(
        company_id=company_id,
        match_ids=[number for number, pair in found.pairs.items() if pair not in sure],
        actor=MATCHER,
        reason="another pair fits better",
        now=now,
    )
    for out, into in sorted(sure - set(found.pairs.values())):
        changed |= make_match(
            company_id=company_id, out=read_leg_name(out), into=read_leg_name(into), origin=MATCHER, now=now
        )
    for name in sorted(plain.keys() - set(found.batches.values())):
        changed |= _match_batch(company_id, plain[name], now=now)
    _ask_about(company_id, [pair for pair in pairs if not pair.sure], now=now)
    _ask_about_batches(company_id, [batch for batch in batches if not batch.sure], now=now)
    return changed


def _match_batch(company_id: int, batch: Batch, *, now: datetime) -> bool:
    _, changed = split_batch(
        company_id=company_id,
        one=(batch.one.key, batch.one.part),
        many=[(leg.key, leg.part) for leg in batch.many],
        origin=MATCHER,
        now=now,
    )
    return changed


def _look_around(company_id: int, around: tuple[datetime, datetime]) -> _Around:
    with connection.cursor() as cursor:
        cursor.execute(_LEGS, [company_id, around[0] - REACH, around[1] + REACH])
        rows = cursor.fetchall()
    found = _Around()
    split_of: dict[int, int] = {}
    for *fields, split_id in rows:
        leg = Leg(*fields)
        if split_id is None:
            found.legs[leg.name] = leg
        elif leg.part:
            continue
        else:
            found.legs[leg.name] = leg
            split_of[leg.key] = split_id
    positions = [leg.key for leg in found.legs.values()]
    matches = TransferMatch.objects.filter(company_id=company_id, origin=MATCHER, ended_at=None).filter(
        models.Q(out_position__in=positions) | models.Q(in_position__in=positions)
    )
    members: dict[int, list[str]] = {position: [] for position in split_of}
    for match in matches:
        out, into = (match.out_position, match.out_part), (match.in_position, match.in_part)
        if out[1] and out[0] in members:
            members[out[0]].append(leg_name(*into))
        elif into[1] and into[0] in members:
            members[into[0]].append(leg_name(*out))
        else:
            found.pairs[match.pk] = (leg_name(*out), leg_name(*into))
    for position, names in members.items():
        found.batches[split_of[position]] = "-".join([leg_name(position), *sorted(names)])
    _leave_out_of_reach(found)
    return found


def _leave_out_of_reach(found: _Around) -> None:
    """What is matched with a leg beyond the interval stays as it is, and its legs are not looked at."""
    matched: list[tuple[dict[int, Any], int, Sequence[str]]] = [
        *((found.pairs, number, pair) for number, pair in found.pairs.items()),
        *((found.batches, number, name.split("-")) for number, name in found.batches.items()),
    ]
    for kept, number, names in matched:
        if not all(name in found.legs for name in names):
            del kept[number]
            for name in names:
                found.legs.pop(name, None)


def _taken_apart(company_id: int, positions: Sequence[int]) -> set[tuple[str, str]]:
    """Pairs that a person has separated or turned down."""
    ended = TransferMatch.objects.filter(
        company_id=company_id, ended_at__isnull=False, out_position__in=positions
    ).exclude(ended_by=MATCHER)
    apart = {
        (leg_name(out, out_part), leg_name(into, in_part))
        for out, out_part, into, in_part in ended.values_list("out_position", "out_part", "in_position", "in_part")
    }
    for subject in _refused(company_id, ReviewKind.PAIR, positions):
        out, _, into = subject.partition("-")
        apart.add((out, into))
    return apart


def _refused_batches(company_id: int, positions: Sequence[int]) -> set[str]:
    return set(_refused(company_id, ReviewKind.BATCH, positions))


def _refused(company_id: int, kind: str, positions: Sequence[int]) -> list[str]:
    items = ReviewItem.objects.filter(
        company_id=company_id,
        kind=kind,
        state__in=[ReviewState.DISMISSED, ReviewState.EXPLAINED],
        positions__overlap=list(positions),
    )
    return list(items.values_list("subject", flat=True))


def _ask_about(company_id: int, pairs: Sequence[Pair], *, now: datetime) -> None:
    questions = [
        Question(
            kind=ReviewKind.PAIR,
            subject=f"{pair.leaving.name}-{pair.arriving.name}",
            account_id=pair.arriving.account_id,
            positions=(pair.leaving.key, pair.arriving.key),
            at=max(pair.leaving.occurred_at, pair.arriving.occurred_at),
            amount=pair.leaving.amount,
            currency=pair.leaving.currency,
        )
        for pair in pairs
    ]
    _suggest(company_id, questions, now=now)


def _ask_about_batches(company_id: int, batches: Sequence[Batch], *, now: datetime) -> None:
    questions = [
        Question(
            kind=ReviewKind.BATCH,
            subject=batch.name,
            account_id=batch.one.account_id,
            positions=(batch.one.key, *(leg.key for leg in batch.many)),
            at=max(leg.occurred_at for leg in (batch.one, *batch.many)),
            amount=batch.one.amount,
            currency=batch.one.currency,
        )
        for batch in batches
    ]
    _suggest(company_id, questions, now=now)


def _suggest(company_id: int, questions: Sequence[Question], *, now: datetime) -> None:
    if not questions:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT timezone FROM ledger_company WHERE id = %s", [company_id])
        (timezone,) = cursor.fetchone()
    settle_legs(
        company_id=company_id,
        legs={name for question in questions for name in question.subject.split("-")},
        now=now,
        reason="another side is suggested",
        kinds=(ReviewKind.LEG,),
    )
    ask(questions, company_id=company_id, timezone=timezone, now=now)


class CannotMatch(ValueError):
    """A pair that cannot be one transfer; the message says why."""


def match_by_hand(*, company_id: int, legs: tuple[LegKey, LegKey], actor: str, now: datetime) -> None:
    """Match two legs on a person's word.

    Raises:
        CannotMatch: not two waiting legs of opposite direction on different accounts.
    """
    with transaction.atomic():
        hold_matcher(company_id=company_id)
        found = [
            leg
            for leg in TransferLeg.objects.select_for_update()
            .filter(company_id=company_id, position__in=[position for position, _ in legs], reversed=False)
            .order_by("position", "part")
            if (leg.position, leg.part) in legs
        ]
        if len(found) != 2 or any(leg.is_split for leg in found):
            raise CannotMatch("one of the two events is no side of a transfer, was split, or was reversed")
        if any(leg.match_id is not None for leg in found):
            raise CannotMatch("one of the two has been matched meanwhile")
        if {leg.direction for leg in found} != {"in", "out"} or found[0].account_id == found[1].account_id:
            raise CannotMatch("a transfer leaves one account and reaches another")
        out, into = sorted(found, key=lambda leg: leg.direction, reverse=True)
        make_match(
            company_id=company_id,
            out=(out.position, out.part),
            into=(into.position, into.part),
            origin=actor,
            now=now,
        )
    _announce(company_id)


def match_batch_by_hand(
    *, company_id: int, one: LegKey, many: Sequence[LegKey], actor: str, now: datetime
) -> None:
    """Match an event with several that are its other side together, on a person's word.

    Raises:
        CannotSplit: one of them does not wait any more, or they do not add up.
    """
    with transaction.atomic():
        hold_matcher(company_id=company_id)
        split_batch(company_id=company_id, one=one, many=many, origin=actor, now=now)
    _announce(company_id)


def _announce(company_id: int) -> None:
    """No event moved, but cash flow may be read otherwise: whoever reads the sums should look again."""
    announce_advance(company_id=company_id, position=journal_position(company_id=company_id))


def take_apart(*, company_id: int, match_id: int, actor: str, reason: str, now: datetime) -> bool:
    """End a match on a person's word, for good; false when it has ended already. A batch ends as a whole."""
    with transaction.atomic():
        hold_matcher(company_id=company_id)
        open_match = TransferMatch.objects.select_for_update().filter(
            id=match_id, company_id=company_id, ended_at=None
        )
        if not open_match.exists():
            return False
        batches = splits_of_matches(company_id=company_id, match_ids=[match_id])
        for split in batches:
            put_together(company_id=company_id, split_id=split.pk, actor=actor, reason=reason, now=now)
        if not batches:
            finish_matches(company_id=company_id, match_ids=[match_id], actor=actor, reason=reason, now=now)
    _announce(company_id)
    return True


def end_matches(*, company_id: int, positions: Sequence[int], actor: str, reason: str, now: datetime) -> bool:
    """End the matches that any of these events is a side of; whether an event counts otherwise now.

    Inside the matcher's own transaction.
    """
    matches = TransferLeg.objects.filter(company_id=company_id, position__in=positions, match__isnull=False)
    match_ids = list(matches.values_list("match_id", flat=True))
    batches = splits_of_matches(company_id=company_id, match_ids=match_ids)
    changed = end_splits(company_id=company_id, splits=batches, actor=actor, reason=reason, now=now)
    rest = list(matches.filter(match_id__in=match_ids).values_list("match_id", flat=True))
    return changed | finish_matches(company_id=company_id, match_ids=rest, actor=actor, reason=reason, now=now)
