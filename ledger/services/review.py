"""What people decide about questions in the review queue. Two may decide at once; one wins."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from ledger.domain.outcome import REJECTED
from ledger.domain.transfer_matching import read_leg_name
from ledger.models.review import ReviewItem, ReviewKind, ReviewState
from ledger.selectors.journal import events_at, journal_position
from ledger.services.announce import announce_advance
from ledger.services.matches import hold_matcher
from ledger.services.pairing import match_batch_by_hand, match_by_hand
from ledger.services.reverse import MAX_REASON, reverse

DECIDABLE = (ReviewState.ACCEPTED, ReviewState.DISMISSED, ReviewState.EXPLAINED)
REOPENABLE = (ReviewState.DISMISSED, ReviewState.EXPLAINED)


class CannotDecide(ValueError):
    """A decision that is refused; `field` names what is wrong with it, the message says why."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Decision:
    """Attributes:
    state: accepted (the question is right: reverse the twin, match the pair or batch), dismissed (it is wrong:
        both are true) or explained (it is right, and here is why it stays as it is).
    reason: needed to explain and to reverse.
    position: of the twin to reverse; None takes the one recorded later.
    """

    state: str
    reason: str = ""
    position: int | None = None


def decide(*, company_id: int, item_id: int, decision: Decision, actor: str, now: datetime) -> ReviewItem:
    """Settle an open question and do what the answer implies, in one transaction.

    Raises:
        CannotDecide: there is no such open question, the answer does not fit it, or the ledger refused.
    """
    reason = decision.reason.strip()
    if decision.state not in DECIDABLE:
        raise CannotDecide("state", "must be accepted, dismissed or explained")
    if len(reason) > MAX_REASON or "\0" in reason:
        raise CannotDecide("reason", f"must have at most {MAX_REASON} characters")
    if decision.state == ReviewState.EXPLAINED and not reason:
        raise CannotDecide("reason", "say why it is right as it is")
    with transaction.atomic():
        hold_matcher(company_id=company_id)
        claimed = ReviewItem.objects.filter(id=item_id, company_id=company_id, state=ReviewState.OPEN).update(
            state=decision.state, reason=reason, actor=actor, decided_at=now
        )
        item = ReviewItem.objects.filter(id=item_id, company_id=company_id).first()
        if item is None:
            raise CannotDecide("item", "there is no such question")
        if not claimed:
            raise CannotDecide("item", f"this was settled meanwhile: {item.get_state_display().lower()}")
        if decision.state == ReviewState.ACCEPTED:
            _do(item, decision=decision, reason=reason, actor=actor, now=now)
    announce_advance(company_id=company_id, position=journal_position(company_id=company_id))
    return item


def _do(item: ReviewItem, *, decision: Decision, reason: str, actor: str, now: datetime) -> None:
    if item.kind == ReviewKind.TWINS:
        _reverse_twin(item, decision=decision, reason=reason, actor=actor, now=now)
    elif item.kind in (ReviewKind.PAIR, ReviewKind.BATCH):
        one, *many = map(read_leg_name, item.subject.split("-"))
        try:
            if item.kind == ReviewKind.PAIR:
                match_by_hand(company_id=item.company_id, legs=(one, many[0]), actor=actor, now=now)
            else:
                match_batch_by_hand(company_id=item.company_id, one=one, many=many, actor=actor, now=now)
        except ValueError as error:
            raise CannotDecide("item", str(error)) from None
    else:
        raise CannotDecide("state", "this can be dismissed or explained, not accepted")


def _reverse_twin(item: ReviewItem, *, decision: Decision, reason: str, actor: str, now: datetime) -> None:
    position = max(item.positions) if decision.position is None else decision.position
    if position not in item.positions:
        raise CannotDecide("position", "is none of the two events")
    entry = events_at(company_id=item.company_id, positions=[position])[position]
    other = min(each for each in item.positions if each != position)
    outcome = reverse(
        company_id=item.company_id,
        event_id=entry.event_id,
        reason=reason or f"the same money as event {other}",
        actor=actor,
        now=now,
    )
    if outcome.status == REJECTED:
        raise CannotDecide("item", f"the event {outcome.problems[0].message}")


def reopen(*, company_id: int, item_id: int, now: datetime) -> bool:
    """Ask a dismissed or explained question again; false when it is in another state."""
    reopened = ReviewItem.objects.filter(id=item_id, company_id=company_id, state__in=REOPENABLE).update(
        state=ReviewState.OPEN, decided_at=None, actor="", reason="", opened_at=now
    )
    if reopened:
        announce_advance(company_id=company_id, position=journal_position(company_id=company_id))
    return bool(reopened)


def break_subject(*, account_id: int | None, currency: str, day: date, origin: str) -> str:
    """Key of the question about a stated balance that the journal does not meet."""
    return f"{account_id or 0}-{currency}-{day.isoformat()}-{origin}"[:255]


def explain_break(
    *,
    company_id: int,
    account_id: int | None,
    currency: str,
    day: date,
    origin: str,
    step: Decimal,
    reason: str,
    actor: str,
    now: datetime,
) -> None:
    """Accept the difference that a statement brought, with a reason. It holds for this very difference alone.

    Raises:
        CannotDecide: no reason.
    """
    reason = reason.strip()
    if not reason or len(reason) > MAX_REASON or "\0" in reason:
        raise CannotDecide("reason", f"say why, in 1 to {MAX_REASON} characters")
    ReviewItem.objects.update_or_create(
        company_id=company_id,
        kind=ReviewKind.BREAK,
        subject=break_subject(account_id=account_id, currency=currency, day=day, origin=origin),
        defaults={
            "account_id": account_id,
            "day": day,
            "amount": step,
            "currency": currency,
            "state": ReviewState.EXPLAINED,
            "reason": reason,
            "actor": actor,
            "decided_at": now,
        },
        create_defaults={
            "account_id": account_id,
            "day": day,
            "amount": step,
            "currency": currency,
            "state": ReviewState.EXPLAINED,
            "reason": reason,
            "actor": actor,
            "decided_at": now,
            "opened_at": now,
        },
    )
    announce_advance(company_id=company_id, position=journal_position(company_id=company_id))
