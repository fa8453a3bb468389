"""Taking events back: the only correction there is."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from ledger.domain.closed_month import closed_month, closed_month_problem
from ledger.domain.event import DIRECTIONS
from ledger.domain.identity import event_id as identify
from ledger.domain.outcome import DUPLICATE, RECORDED, REJECTED, JournalEntry, Outcome
from ledger.domain.problems import FieldProblem
from ledger.metrics import EVENTS_INGESTED
from ledger.selectors.books import Books, read_books
from ledger.selectors.journal import find_event, find_events
from ledger.services.announce import announce_advance
from ledger.services.closed_months import permit_entries
from ledger.services.transient import try_again

MAX_REASON = 255

_CLAIM = """
    UPDATE ledger_externalobject o SET reversed = true
    FROM unnest(%(accounts)s::bigint[], %(sources)s::text[], %(types)s::text[], %(directions)s::text[],
                %(references)s::text[], %(events)s::bytea[])
         AS e (account_id, source, event_type, direction, external_ref, event_id)
    WHERE o.company_id = %(company)s AND o.account_id = e.account_id AND o.source = e.source
      AND o.event_type = e.event_type AND o.direction = e.direction AND o.external_ref = e.external_ref
      AND o.twin = CASE e.external_ref WHEN '' THEN e.event_id ELSE ''::bytea END
      AND o.event_id = e.event_id AND NOT o.reversed
    RETURNING o.event_id
"""
_WRITE = """
    WITH head AS MATERIALIZED (
        SELECT ledger_advance(%(company)s, cardinality(%(events)s::bytea[]), %(base_currency)s,
                              ARRAY(SELECT DISTINCT unnest(%(accounts)s::bigint[]))) AS position
    )
    INSERT INTO ledger_capitalevent (
        company_id, position, account_id, occurred_at, recorded_at, fx_at, revision, event_id, source,
        event_type, direction, amount, currency, base_amount, fx_rate, fx_source, category, counterparty,
        external_ref, metadata, reverses, actor, reason
    )
    SELECT e.company_id, head.position + r.n, e.account_id,
           e.occurred_at, %(now)s, e.fx_at, e.revision, r.reversal, e.source,
           e.event_type, CASE e.direction WHEN 'in' THEN 'out' ELSE 'in' END, e.amount, e.currency, e.base_amount,
           e.fx_rate, e.fx_source, e.category, e.counterparty, e.external_ref, '{}', e.event_id, %(actor)s,
           %(reason)s
    FROM head
    CROSS JOIN unnest(%(events)s::bytea[], %(times)s::timestamptz[], %(reversals)s::bytea[])
         WITH ORDINALITY AS r (event_id, occurred_at, reversal, n)
    JOIN ledger_capitalevent e
      ON e.company_id = %(company)s AND e.event_id = r.event_id AND e.occurred_at = r.occurred_at
    RETURNING event_id, position
"""


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
    reversals: dict[int, bytes] = {}
    permitted = []
    for ordinal, entry in enumerate(entries):
        if entry is None:
            refused[ordinal] = _rejected("event_id", "is not an event of this company")
            continue
        if entry.reverses:
            refused[ordinal] = _rejected("event_id", "is a reversal itself; record the event again instead")
            continue
        reversal = _reversal_id(entry, company_id, books)
        month = closed_month(entry.occurred_at, timezone=books.timezone, closed=books.closed_months)
        if month is not None and into_closed_month:
            permitted.append((reversal, month))
        elif month is not None and _earlier(entry, reversal, company_id) is None:
            refused[ordinal] = Outcome(REJECTED, "", None, (closed_month_problem(month),))
            continue
        reversals[ordinal] = reversal
    if permitted:
        permit_entries(permitted, company_id=company_id, reason=reason, actor=actor, now=now)
    wanted = [(entry, reversals[n]) for n, entry in enumerate(entries) if entry is not None and n in reversals]
    written = _write(wanted, company_id, books, {"reason": reason, "actor": actor, "now": now})
    outcomes = []
    for ordinal, entry in enumerate(entries):
        if entry is None or ordinal in refused:
            outcomes.append(refused[ordinal])
            continue
        reversal = reversals[ordinal]
        status, position = RECORDED, written.get(reversal)
        if position is None:
            earlier = _earlier(entry, reversal, company_id)
            status, position = DUPLICATE, None if earlier is None else earlier.position
        outcomes.append(Outcome(status, reversal.hex(), position, (), entry.occurred_at))
    return tuple(outcomes)


def _earlier(entry: JournalEntry, reversal: bytes, company_id: int) -> JournalEntry | None:
    """The reversal of an event that was there before."""
    return find_event(company_id=company_id, event_id=reversal.hex(), occurred_at=entry.occurred_at)


def _write(
    wanted: Sequence[tuple[JournalEntry, bytes]], company_id: int, books: Books, said: dict[str, Any]
) -> dict[bytes, int]:
    """Reverse those events that stand still; return {id of the reversal: position}."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, _values(wanted, company_id, books) | said)
        claimed = {bytes(event_id).hex() for (event_id,) in cursor.fetchall()}
        mine = [(entry, reversal) for entry, reversal in wanted if entry.event_id in claimed]
        if not mine:
            return {}
        cursor.execute(_WRITE, _values(mine, company_id, books) | said)
        return {bytes(event_id): position for event_id, position in cursor.fetchall()}


def _values(wanted: Sequence[tuple[JournalEntry, bytes]], company_id: int, books: Books) -> dict[str, Any]:
    return {
        "company": company_id,
        "base_currency": books.base_currency,
        "accounts": [books.accounts[entry.account] for entry, _ in wanted],
        "sources": [entry.source for entry, _ in wanted],
        "types": [entry.event_type for entry, _ in wanted],
        "directions": [entry.direction for entry, _ in wanted],
        "references": [entry.external_ref for entry, _ in wanted],
        "events": [bytes.fromhex(entry.event_id) for entry, _ in wanted],
        "times": [entry.occurred_at for entry, _ in wanted],
        "reversals": [reversal for _, reversal in wanted],
    }


def _reversal_id(entry: JournalEntry, company_id: int, books: Books) -> bytes:
    (opposite,) = DIRECTIONS - {entry.direction}
    return identify(
        company_id=company_id,
        source=entry.source,
        event_type=entry.event_type,
        direction=opposite,
        account_id=books.accounts[entry.account],
        amount=entry.amount,
        currency=entry.currency,
        occurred_at=entry.occurred_at,
        external_ref=entry.external_ref,
        revision=entry.revision,
        reverses=entry.event_id,
    )
