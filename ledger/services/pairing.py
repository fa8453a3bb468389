"""Matching legs of transfers, and taking matches apart. The read side follows; no event is touched."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import connection, transaction

from ledger.domain.transfer_matching import EARLIEST_ARRIVAL, LATEST_ARRIVAL, Leg, Pair, match_legs
from ledger.models.matching import TransferLeg, TransferMatch
from ledger.models.review import ReviewItem, ReviewKind, ReviewState
from ledger.services.questions import Question, ask, settle_about
from ledger.services.readings import TypeReading, read_types

MATCHER = "matcher"
# How far around new legs the pairs are looked at again: one arrival may free a leg for a better one.
REACH = LATEST_ARRIVAL - EARLIEST_ARRIVAL

_LEGS = """
    SELECT l.position, l.account_id, a.name, a.kind, l.event_type, l.direction, l.amount, l.currency,
           l.base_amount, l.occurred_at, l.counterparty, l.stated_rate, l.match_id
    FROM ledger_transferleg l JOIN ledger_account a ON a.id = l.account_id
    LEFT JOIN ledger_transfermatch m ON m.id = l.match_id
    WHERE l.company_id = %s AND NOT l.reversed AND l.occurred_at BETWEEN %s AND %s
      AND (l.match_id IS NULL OR m.origin = 'matcher')
"""


def pair_legs(*, company_id: int, around: tuple[datetime, datetime], now: datetime) -> bool:
    """Match the legs around an interval anew: the plain pairs at once, the others as questions.

    What a person matched or took apart stays so. What the matcher matched may be matched better, now that more is
    known, so that the result hardly depends on which feed spoke first.

    Returns:
        Whether an event counts as something else than before.
    """
    legs, present = _legs_around(company_id, around)
    apart = _taken_apart(company_id, [leg.key for leg in legs])
    pairs = match_legs(legs, forbidden=lambda out, into: (out.key, into.key) in apart)
    sure = {(pair.leaving.key, pair.arriving.key) for pair in pairs if pair.sure}
    outdated = [number for number, pair in present.items() if pair not in sure]
    changed = _end(company_id, outdated, actor=MATCHER, reason="another pair fits better", now=now)
    kept = set(present.values()) & sure
    for out, into in sorted(sure - kept):
        changed |= _match(company_id, out, into, origin=MATCHER, now=now)
    _ask_about(company_id, [pair for pair in pairs if not pair.sure], now=now)
    return changed


def _legs_around(
    company_id: int, around: tuple[datetime, datetime]
) -> tuple[list[Leg], dict[int, tuple[int, int]]]:
    """Return the legs that may be paired, and {match: (leaving, arriving)} of those that are."""
    with connection.cursor() as cursor:
        cursor.execute(_LEGS, [company_id, around[0] - REACH, around[1] + REACH])
        rows = cursor.fetchall()
    legs = {row[0]: Leg(*row[:-1]) for row in rows}
    matched = {row[-1] for row in rows if row[-1] is not None}
    ends = TransferMatch.objects.filter(id__in=matched).values_list("id", "out_position", "in_position")
    present: dict[int, tuple[int, int]] = {}
    for number, out, into in ends:
        if out in legs and into in legs:
            present[number] = (out, into)
        else:
            # Its other side lies out of reach: it stays.
            legs.pop(out, None)
            legs.pop(into, None)
    return list(legs.values()), present


def _taken_apart(company_id: int, positions: Sequence[int]) -> set[tuple[int, int]]:
    """Pairs that a person has separated or turned down."""
    ended = TransferMatch.objects.filter(
        company_id=company_id, ended_at__isnull=False, out_position__in=positions
    ).exclude(ended_by=MATCHER)
    apart = set(ended.values_list("out_position", "in_position"))
    refused = ReviewItem.objects.filter(
        company_id=company_id,
        kind=ReviewKind.PAIR,
        state__in=[ReviewState.DISMISSED, ReviewState.EXPLAINED],
        positions__overlap=list(positions),
    )
    for subject in refused.values_list("subject", flat=True):
        out, _, into = subject.partition("-")
        apart.add((int(out), int(into)))
    return apart


def _ask_about(company_id: int, pairs: Sequence[Pair], *, now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT timezone FROM ledger_company WHERE id = %s", [company_id])
        (timezone,) = cursor.fetchone()
    settle_about(
        company_id=company_id,
        positions=[position for pair in pairs for position in (pair.leaving.key, pair.arriving.key)],
        now=now,
        reason="another side is suggested",
        kinds=(ReviewKind.LEG,),
    )
    ask(
        [
            Question(
                kind=ReviewKind.PAIR,
                subject=f"{pair.leaving.key}-{pair.arriving.key}",
                account_id=pair.arriving.account_id,
                positions=(pair.leaving.key, pair.arriving.key),
                at=max(pair.leaving.occurred_at, pair.arriving.occurred_at),
                amount=pair.leaving.amount,
                currency=pair.leaving.currency,
            )
            for pair in pairs
        ],
        company_id=company_id,
        timezone=timezone,
        now=now,
    )


class CannotMatch(ValueError):
    """A pair that cannot be one transfer; the message says why."""


def hold_matcher(*, company_id: int) -> None:
    """Let the matcher wait until this transaction ends.

    It locks its cursor first and then legs, questions and sums; a person who locked them in another order would
    meet it head-on.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM ledger_matchcursor WHERE company_id = %s FOR UPDATE", [company_id])


def match_by_hand(*, company_id: int, positions: tuple[int, int], actor: str, now: datetime) -> None:
    """Match two legs on a person's word.

    Raises:
        CannotMatch: not two waiting legs of opposite direction on different accounts.
    """
    with transaction.atomic():
        hold_matcher(company_id=company_id)
        legs = list(
            TransferLeg.objects.select_for_update()
            .filter(company_id=company_id, position__in=positions, reversed=False)
            .order_by("position")
        )
        if len(legs) != 2:
            raise CannotMatch("one of the two events is no side of a transfer, or was reversed")
        if any(leg.match_id is not None for leg in legs):
            raise CannotMatch("one of the two has been matched meanwhile")
        if {leg.direction for leg in legs} != {"in", "out"} or legs[0].account_id == legs[1].account_id:
            raise CannotMatch("a transfer leaves one account and reaches another")
        out, into = sorted(legs, key=lambda leg: leg.direction, reverse=True)
        _match(company_id, out.position, into.position, origin=actor, now=now)


def take_apart(*, company_id: int, match_id: int, actor: str, reason: str, now: datetime) -> bool:
    """End a match on a person's word, for good; false when it has ended already."""
    with transaction.atomic():
        hold_matcher(company_id=company_id)
        open_match = TransferMatch.objects.select_for_update().filter(
            id=match_id, company_id=company_id, ended_at=None
        )
        if not open_match.exists():
            return False
        _end(company_id, [match_id], actor=actor, reason=reason, now=now)
    return True


def end_matches(*, company_id: int, positions: Sequence[int], actor: str, reason: str, now: datetime) -> bool:
    """End the matches that any of these events is a side of; whether an event counts otherwise now."""
    matches = TransferLeg.objects.filter(company_id=company_id, position__in=positions, match__isnull=False)
    return _end(company_id, list(matches.values_list("match_id", flat=True)), actor=actor, reason=reason, now=now)


def _match(company_id: int, out: int, into: int, *, origin: str, now: datetime) -> bool:
    match = TransferMatch.objects.create(
        company_id=company_id, out_position=out, in_position=into, origin=origin, matched_at=now
    )
    legs = TransferLeg.objects.filter(company_id=company_id, position__in=(out, into))
    legs.update(match=match)
    settle_about(
        company_id=company_id,
        positions=(out, into),
        now=now,
        reason="its other side is known",
        kinds=(ReviewKind.LEG, ReviewKind.PAIR),
    )
    return _count_as(company_id, legs, "transfer")


def _end(company_id: int, match_ids: Sequence[int], *, actor: str, reason: str, now: datetime) -> bool:
    if not match_ids:
        return False
    legs = TransferLeg.objects.filter(company_id=company_id, match_id__in=match_ids)
    changed = _count_as(company_id, list(legs), None)
    legs.update(match=None)
    TransferMatch.objects.filter(id__in=match_ids).update(ended_at=now, ended_by=actor, end_reason=reason)
    return changed


def _count_as(company_id: int, legs: Iterable[TransferLeg], event_type: str | None) -> bool:
    """Count what its feed took for income or expense as a transfer, or as recorded again."""
    readings = [
        TypeReading(bytes(leg.event_id), leg.occurred_at, event_type)
        for leg in legs
        if leg.event_type != "transfer"
    ]
    read_types(company_id=company_id, readings=readings)
    return bool(readings)
