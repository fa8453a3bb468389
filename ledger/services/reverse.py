"""Taking events back: the only correction there is."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from ledger.domain.closed_month import closed_month, closed_month_problem
from ledger.domain.outcome import DUPLICATE, RECORDED, REJECTED, JournalEntry, Outcome
from ledger.domain.problems import FieldProblem
from ledger.metrics import EVENTS_INGESTED
from ledger.selectors.books import Books, read_books
from ledger.selectors.journal import find_event, find_events
from ledger.services.announce import announce_advance
from ledger.services.closed_months import permit_entries
from ledger.services.reversal_rows import ReversalRow, reversal_row, write_reversals
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
    entry = find_event(company_id=company_id, event_id=event_id)
    (outcome,) = _reverse(
        [entry], company_id=company_id, reason=reason, actor=actor, now=now, into_closed_month=into_closed_month
    )
    return outcome


def reverse_all(
    *, company_id: int, events: Sequence[tuple[str, datetime]], reason: str, actor: str, now: datetime
) -> tuple[Outcome, ...]:
    """Append the opposites of many events in one transaction, and return what became of each, in order.

    Args:
        events: (id, occurred_at) of each, no two alike.
        reason: as for `reverse`, of all of them.

    Raises:
        CompanyNotFound: no such company.
    """
    found = find_events(company_id=company_id, keys=events)
    entries = [found.get(event_id) for event_id, _ in events]
    return _reverse(entries, company_id=company_id, reason=reason, actor=actor, now=now, into_closed_month=False)


def _reverse(
    entries: Sequence[JournalEntry | None],
    *,
    company_id: int,
    reason: str,
    actor: str,
    now: datetime,
    into_closed_month: bool,
) -> tuple[Outcome, ...]:
    reason = reason.strip()
    if not reason or len(reason) > MAX_REASON or "\0" in reason:
        refused = _rejected("reason", f"must have 1 to {MAX_REASON} characters")
        return (refused,) * len(entries)

    def write() -> tuple[Outcome, ...]:
        with transaction.atomic():
            return _append(entries, company_id, reason, actor, now, into_closed_month=into_closed_month)

    outcomes = try_again(write)
    positions = [outcome.position for outcome in outcomes if outcome.status == RECORDED]
    if positions:
        EVENTS_INGESTED.labels(status=RECORDED).inc(len(positions))
        announce_advance(company_id=company_id, position=max(filter(None, positions)))
    return outcomes


def _rejected(field: str, message: str) -> Outcome:
    return Outcome(REJECTED, "", None, (FieldProblem(field, message),))


def _append(
    entries: Sequence[JournalEntry | None],
    company_id: int,
    reason: str,
    actor: str,
    now: datetime,
    *,
    into_closed_month: bool,
) -> tuple[Outcome, ...]:
    books = read_books(company_id=company_id)
    refused: dict[int, Outcome] = {}
    rows: dict[int, ReversalRow] = {}
    permitted = []
    for ordinal, entry in enumerate(entries):
        if entry is None:
            refused[ordinal] = _rejected("event_id", "is not an event of this company")
            continue
        if entry.reverses:
            refused[ordinal] = _rejected("event_id", "is a reversal itself; record the event again instead")
            continue
        row = _row(entry, company_id, books, reason)
        month = closed_month(entry.occurred_at, timezone=books.timezone, closed=books.closed_months)
        if month is not None and into_closed_month:
            permitted.append((row.reversal, month))
        elif month is not None and _earlier(row, company_id) is None:
            refused[ordinal] = Outcome(REJECTED, "", None, (closed_month_problem(month),))
            continue
        rows[ordinal] = row
    if permitted:
        permit_entries(permitted, company_id=company_id, reason=reason, actor=actor, now=now)
    written = write_reversals(
        list(rows.values()), company_id=company_id, base_currency=books.base_currency, actor=actor, now=now
    )
    outcomes = []
    for ordinal in range(len(entries)):
        if ordinal in refused:
            outcomes.append(refused[ordinal])
            continue
        row = rows[ordinal]
        status, position = RECORDED, written.get(row.event_id)
        if position is None:
            earlier = _earlier(row, company_id)
            status, position = DUPLICATE, None if earlier is None else earlier.position
        outcomes.append(Outcome(status, row.reversal.hex(), position, (), row.occurred_at))
    return tuple(outcomes)


def _earlier(row: ReversalRow, company_id: int) -> JournalEntry | None:
    """The reversal of an event that was there before."""
    return find_event(company_id=company_id, event_id=row.reversal.hex(), occurred_at=row.occurred_at)


def _row(entry: JournalEntry, company_id: int, books: Books, reason: str) -> ReversalRow:
    return reversal_row(
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
