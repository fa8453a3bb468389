"""Taking an event back: the only correction there is."""

from datetime import datetime

from django.db import transaction

from ledger.domain.closed_month import closed_month, closed_month_problem
from ledger.domain.outcome import DUPLICATE, RECORDED, REJECTED, JournalEntry, Outcome
from ledger.domain.problems import FieldProblem
from ledger.metrics import EVENTS_INGESTED
from ledger.selectors.books import read_books
from ledger.selectors.journal import find_event
from ledger.services.announce import announce_advance
from ledger.services.closed_months import permit_entries
from ledger.services.reversal_rows import reversal_row, write_reversals
from ledger.services.transient import try_again

MAX_REASON = 255


def reverse(
    *, company_id: int, event_id: str, reason: str, actor: str, now: datetime, into_closed_month: bool = False
) -> Outcome:
    """Append the opposite of an event, dated as the event, and return what became of it.

    The outcome is recorded; duplicate when the event was reversed before; or rejected: unknown event, an event
    that is a reversal itself, no reason, or an event in a closed month.

    Args:
        event_id: 64 hexadecimal digits.
        reason: 1 to 255 characters, kept with the reversal.
        into_closed_month: an admin wants it although the month is closed; the reason says why.

    Raises:
        CompanyNotFound: no such company.
    """
    reason = reason.strip()
    if not reason or len(reason) > MAX_REASON or "\0" in reason:
        return _rejected("reason", f"must have 1 to {MAX_REASON} characters")

    def write() -> Outcome:
        with transaction.atomic():
            return _append(company_id, event_id, reason, actor, now, into_closed_month=into_closed_month)

    outcome = try_again(write)
    if outcome.status == RECORDED and outcome.position is not None:
        EVENTS_INGESTED.labels(status=RECORDED).inc()
        announce_advance(company_id=company_id, position=outcome.position)
    return outcome


def _rejected(field: str, message: str) -> Outcome:
    return Outcome(REJECTED, "", None, (FieldProblem(field, message),))


def _append(
    company_id: int, event_id: str, reason: str, actor: str, now: datetime, *, into_closed_month: bool
) -> Outcome:
    books = read_books(company_id=company_id)
    entry = find_event(company_id=company_id, event_id=event_id)
    if entry is None:
        return _rejected("event_id", "is not an event of this company")
    if entry.reverses:
        return _rejected("event_id", "is a reversal itself; record the event again instead")
    row = reversal_row(
        company_id=company_id,
        account_id=books.accounts[entry.account],
        source=entry.source,
        event_type=entry.event_type,
        direction=entry.direction,
        external_ref=entry.external_ref,
        event_id=bytes.fromhex(entry.event_id),
        occurred_at=entry.occurred_at,
        amount=entry.amount,
        currency=entry.currency,
        revision=entry.revision,
        reason=reason,
    )
    reversal = row.reversal
    month = closed_month(entry.occurred_at, timezone=books.timezone, closed=books.closed_months)
    if month is not None and into_closed_month:
        permit_entries([(reversal, month)], company_id=company_id, reason=reason, actor=actor, now=now)
    elif month is not None and not _is_reversed(entry, reversal, company_id):
        return Outcome(REJECTED, "", None, (closed_month_problem(month),))
    written = write_reversals(
        [row], company_id=company_id, base_currency=books.base_currency, actor=actor, now=now
    )
    if not written:
        earlier = find_event(company_id=company_id, event_id=reversal.hex(), occurred_at=entry.occurred_at)
        position = None if earlier is None else earlier.position
        return Outcome(DUPLICATE, reversal.hex(), position, (), entry.occurred_at)
    return Outcome(RECORDED, reversal.hex(), written[row.event_id], (), entry.occurred_at)


def _is_reversed(entry: JournalEntry, reversal: bytes, company_id: int) -> bool:
    return find_event(company_id=company_id, event_id=reversal.hex(), occurred_at=entry.occurred_at) is not None
