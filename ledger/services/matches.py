"""Keeping and ending matches of two legs. The read side follows; no event is touched."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import connection

from ledger.domain.transfer_matching import leg_name
from ledger.models.matching import TransferLeg, TransferMatch
from ledger.services.questions import settle_legs
from ledger.services.readings import TypeReading, read_types

MATCHER = "matcher"

# Position and part.
type LegKey = tuple[int, int]

# Followed by FROM the journal as `e`, and by what becomes of legs that are there already.
KEEP_LEG = """
    INSERT INTO ledger_transferleg (
        company_id, position, event_id, account_id, source, event_type, direction, amount, currency,
        base_amount, occurred_at, counterparty, stated_rate, reversed
    )
    SELECT e.company_id, e.position, e.event_id, e.account_id, e.source, e.event_type, e.direction, e.amount,
           e.currency, e.base_amount, e.occurred_at, e.counterparty,
           CASE WHEN e.metadata ->> 'rate' ~ '^[0-9]{1,9}([.][0-9]{1,12})?$'
                THEN nullif((e.metadata ->> 'rate')::numeric, 0) END,
           false
"""


def hold_matcher(*, company_id: int) -> None:
    """Let the matcher wait until this transaction ends.

    It locks its cursor first and then legs, questions and sums; a person who locked them in another order would
    meet it head-on.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM ledger_matchcursor WHERE company_id = %s FOR UPDATE", [company_id])


def make_match(*, company_id: int, out: LegKey, into: LegKey, origin: str, now: datetime) -> bool:
    """Keep that two waiting legs are one transfer; whether an event counts as something else now."""
    match = TransferMatch.objects.create(
        company_id=company_id,
        out_position=out[0],
        out_part=out[1],
        in_position=into[0],
        in_part=into[1],
        origin=origin,
        matched_at=now,
    )
    legs = [
        leg
        for leg in TransferLeg.objects.filter(company_id=company_id, position__in=(out[0], into[0]))
        if (leg.position, leg.part) in (out, into)
    ]
    for leg in legs:
        TransferLeg.objects.filter(pk=leg.pk).update(match=match)
    settle_legs(
        company_id=company_id,
        legs={leg_name(*out), leg_name(*into)},
        now=now,
        reason="its other side is known",
    )
    return _count_as(company_id, legs, "transfer")


def finish_matches(*, company_id: int, match_ids: Sequence[int], actor: str, reason: str, now: datetime) -> bool:
    """End matches, so that their legs wait again; whether an event counts as something else now."""
    if not match_ids:
        return False
    legs = TransferLeg.objects.filter(company_id=company_id, match_id__in=match_ids)
    changed = _count_as(company_id, list(legs), None)
    legs.update(match=None)
    TransferMatch.objects.filter(id__in=match_ids).update(ended_at=now, ended_by=actor, end_reason=reason)
    return changed


def _count_as(company_id: int, legs: Iterable[TransferLeg], event_type: str | None) -> bool:
    """Count what its feed took for income or expense as a transfer, or as recorded again.

    A part counts as what the split says, with an other side or without.
    """
    readings = [
        TypeReading(bytes(leg.event_id), leg.occurred_at, event_type)
        for leg in legs
        if leg.event_type != "transfer" and not leg.part
    ]
    read_types(company_id=company_id, readings=readings)
    return bool(readings)
