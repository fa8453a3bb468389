"""Adjustments by hand: recorded at once, or, above the company's limit, when a second person agrees."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from ledger.domain.event import BY_HAND, EventDraft
from ledger.domain.month import month_of
from ledger.domain.outcome import DUPLICATE, RECORDED, Outcome
from ledger.models.company import Company
from ledger.models.pending_adjustment import PendingAdjustment, PendingState
from ledger.selectors.books import read_books
from ledger.services.journal_rows import JournalRow, Unrecordable, journal_row
from ledger.services.partitions import make_missing_months
from ledger.services.record import record

SOURCE = BY_HAND
MAX_REASON = 255


class NotDecidable(ValueError):
    """An adjustment that this person cannot decide about now; the message says why."""


@dataclass(frozen=True, slots=True)
class Adjusted:
    """What became of an adjustment.

    Attributes:
        outcome: of recording it; None when it waits.
        pending_id: of the adjustment that waits for a second person; None when it does not.
    """

    outcome: Outcome | None
    pending_id: int | None


def adjust(
    *,
    company_id: int,
    draft: EventDraft,
    reason: str,
    user_id: int,
    actor: str,
    into_closed_month: bool,
    now: datetime,
) -> Adjusted:
    """Record an adjustment, or keep it for a second person when it is above the company's limit.

    Args:
        draft: an event of type adjustment, with `occurred_at` and `account`.
        user_id: who asks, and so cannot approve.
        into_closed_month: an admin wants it although the month is closed; the reason says why.
    """
    limit = Company.objects.values_list("adjustment_limit", flat=True).get(id=company_id)
    if limit is not None:
        try:
            row = journal_row(
                draft, ordinal=0, company_id=company_id, books=read_books(company_id=company_id), now=now
            )
        except Unrecordable:
            row = None  # the recorder says what is wrong
        if row is not None and row.base_amount > limit:
            return Adjusted(
                None, _keep(row, company_id, reason, user_id, into_closed_month=into_closed_month, now=now)
            )
    (outcome,) = record(
        company_id=company_id,
        drafts=[draft],
        actor=actor,
        now=now,
        closed_month_reason=reason if into_closed_month else "",
    )
    return Adjusted(outcome, None)


def _keep(
    row: JournalRow, company_id: int, reason: str, user_id: int, *, into_closed_month: bool, now: datetime
) -> int:
    draft = row.draft
    # The same once more, from a second click on the button, is the one that waits already.
    pending, _ = PendingAdjustment.objects.get_or_create(
        company_id=company_id,
        account_id=row.account_id,
        direction=row.direction,
        amount=draft.amount,
        currency=draft.currency,
        occurred_at=row.occurred_at,
        category=draft.category,
        counterparty=draft.counterparty,
        reason=reason,
        requested_by_id=user_id,
        state=PendingState.WAITING,
        defaults={"base_amount": row.base_amount, "requested_at": now, "into_closed_month": into_closed_month},
    )
    return int(pending.pk)


def approve_adjustment(*, pending_id: int, user_id: int, reason: str, now: datetime) -> Outcome:
    """Record an adjustment that waited, with the names of both; a rejected outcome leaves it waiting.

    Raises:
        NotDecidable: it was decided already, or this person asked for it.
    """
    waiting = PendingAdjustment.objects.select_related("account").get(id=pending_id)
    make_missing_months((month_of(waiting.occurred_at),))
    with transaction.atomic():
        pending = _claimed(pending_id, user_id)
        (outcome,) = record(
            company_id=pending.company_id,
            drafts=[_draft(pending)],
            actor=f"admin:{pending.requested_by.get_username()}"[:255],
            now=now,
            closed_month_reason=pending.reason if pending.into_closed_month else "",
        )
        if outcome.status in {RECORDED, DUPLICATE}:
            _decide(pending, PendingState.APPROVED, user_id, reason, now, event_id=bytes.fromhex(outcome.event_id))
    return outcome


def reject_adjustment(*, pending_id: int, user_id: int, reason: str, now: datetime) -> None:
    """Let an adjustment fall that waited.

    Raises:
        NotDecidable: it was decided already, this person asked for it, or there is no reason.
    """
    if not reason.strip():
        raise NotDecidable("Say why it is rejected.")
    with transaction.atomic():
        _decide(_claimed(pending_id, user_id), PendingState.REJECTED, user_id, reason, now, event_id=None)


def _claimed(pending_id: int, user_id: int) -> PendingAdjustment:
    """Lock the adjustment: of two who decide at once, one decides."""
    pending = (
        PendingAdjustment.objects.select_for_update(of=("self",))
        .select_related("account", "requested_by")
        .get(id=pending_id)
    )
    if pending.state != PendingState.WAITING:
        raise NotDecidable("It has been decided already.")
    if pending.requested_by_id == user_id:
        raise NotDecidable("Whoever asks for an adjustment cannot decide about it.")
    return pending


def _decide(
    pending: PendingAdjustment,
    state: PendingState,
    user_id: int,
    reason: str,
    now: datetime,
    *,
    event_id: bytes | None,
) -> None:
    pending.state = state
    pending.decided_by_id = user_id
    pending.decided_at = now
    pending.decision_reason = reason.strip()[:MAX_REASON]
    pending.event_id = event_id
    pending.save(update_fields=["state", "decided_by", "decided_at", "decision_reason", "event_id"])


def _draft(pending: PendingAdjustment) -> EventDraft:
    return EventDraft(
        source=SOURCE,
        event_type="adjustment",
        amount=pending.amount,
        currency=pending.currency,
        occurred_at=pending.occurred_at,
        direction=pending.direction,
        account=pending.account.name,
        category=pending.category,
        counterparty=pending.counterparty,
        metadata={"reason": pending.reason, "pending_adjustment": pending.pk},
    )
