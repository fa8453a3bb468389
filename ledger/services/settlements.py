"""Giving events the rate at which their money was changed, when that becomes known after they were recorded.

A payment is recorded when its provider tells of it, at the published rate if need be. What the provider settled
may be known later: with an API key that was entered since, or by a delivery that brings the balance transaction.
Then the event is reversed and stands again under the next revision, with the provider's rate.
"""

from datetime import datetime
from typing import Any

from django.db import connection, transaction

from ledger.domain.event import EventDraft
from ledger.domain.outcome import CORRECTED, RECORDED, REJECTED, Outcome
from ledger.selectors.books import read_books
from ledger.services.announce import announce_advance
from ledger.services.journal_rows import JournalRow, Unrecordable, journal_row
from ledger.services.journal_table import write_rows
from ledger.services.provenance import CameBy, keep_provenance
from ledger.services.reverse import reverse

_STANDING = """
    SELECT encode(o.event_id, 'hex'), o.revision, e.fx_source
    FROM ledger_externalobject o
    JOIN ledger_capitalevent e
      ON e.company_id = o.company_id AND e.event_id = o.event_id AND e.occurred_at = o.occurred_at
    WHERE o.company_id = %(company)s AND o.account_id = %(account)s AND o.source = %(source)s
      AND o.event_type = %(event_type)s AND o.direction = %(direction)s AND o.external_ref = %(external_ref)s
      AND o.twin = '' AND NOT o.reversed
      AND o.amount = %(amount)s AND o.currency = %(currency)s AND o.occurred_at = %(occurred_at)s
"""


def settle(
    *,
    company_id: int,
    draft: EventDraft,
    said_by: str,
    actor: str,
    now: datetime,
    came_by: CameBy | None = None,
) -> Outcome | None:
    """Let an event that is recorded with the draft's content stand at the draft's settlement rate.

    Returns:
        `corrected` with the new event; `rejected` when its month is closed; None when there is nothing to do: no
        such event stands, or it has a rate of that provider already. A rate is never changed twice.

    Args:
        said_by: for the reason of the reversal, such as `Stripe`.
        came_by: what brought the rate, kept beside the events.
    """
    if draft.settlement is None or not draft.external_ref:
        return None
    books = read_books(company_id=company_id)
    try:
        row = journal_row(draft, ordinal=0, company_id=company_id, books=books, now=now)
    except Unrecordable:
        return None
    if not _is_settled(row.fx.source, draft.settlement.source):
        # The books are kept in the event's own currency: there is no rate.
        return None
    with transaction.atomic():
        standing = _standing(company_id, row)
        if standing is None:
            return None
        event_id, revision, fx_source = standing
        if _is_settled(fx_source, draft.settlement.source):
            return None
        reason = f"Corrected by {said_by}: other rate"
        reversal = reverse(company_id=company_id, event_id=event_id, reason=reason, actor=actor, now=now)
        if reversal.status == REJECTED:
            return reversal
        if reversal.status != RECORDED or reversal.position is None:
            return None
        settled = journal_row(draft, ordinal=0, company_id=company_id, books=books, now=now, revision=revision + 1)
        positions = write_rows(
            [settled], company_id=company_id, base_currency=books.base_currency, actor=actor, now=now
        )
        if came_by is not None:
            keep_provenance(company_id=company_id, positions=[reversal.position, positions[0]], came_by=came_by)
    announce_advance(company_id=company_id, position=positions[0])
    return Outcome(CORRECTED, settled.event_id.hex(), positions[0], (), settled.occurred_at)


def _is_settled(fx_source: str, provider: str) -> bool:
    """Whether a rate is the provider's, alone or with a published one for the way on."""
    return fx_source.partition("+")[0] == provider


def _standing(company_id: int, row: JournalRow) -> tuple[str, int, str] | None:
    """Return (event id, revision, source of the rate) of the event with this content, None if none stands."""
    values: dict[str, Any] = {
        "company": company_id,
        "account": row.account_id,
        "source": row.draft.source,
        "event_type": row.draft.event_type,
        "direction": row.direction,
        "external_ref": row.draft.external_ref,
        "amount": row.draft.amount,
        "currency": row.draft.currency,
        "occurred_at": row.occurred_at,
    }
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, values)
        found: tuple[str, int, str] | None = cursor.fetchone()
    return found
