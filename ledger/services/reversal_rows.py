"""Reversals on their way into the journal: one statement for one event and for thousands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import batched

from django.db import connection

from ledger.domain.event import DIRECTIONS
from ledger.domain.identity import event_id as identify

ROWS_PER_STATEMENT = 5000

# Objects are claimed before the head row is locked, which comes last. LIMIT holds the planner to one look into the
# key per object and event: joined freely, they were compared pair by pair where a table had no statistics yet.
_WRITE = """
    WITH wanted AS MATERIALIZED (
        SELECT * FROM unnest(
            %(accounts)s::bigint[], %(sources)s::text[], %(types)s::text[], %(directions)s::text[],
            %(references)s::text[], %(events)s::bytea[], %(instants)s::timestamptz[], %(reversals)s::bytea[],
            %(reasons)s::text[]
        ) WITH ORDINALITY AS w (
            account_id, source, event_type, direction, external_ref, event_id, occurred_at, reversal, reason, n
        )
    ), claimed AS (
        UPDATE ledger_externalobject o SET reversed = true
        FROM (
            SELECT w.n, w.event_id, found.row FROM wanted w
            CROSS JOIN LATERAL (
                SELECT k.ctid AS row FROM ledger_externalobject k
                WHERE k.company_id = %(company)s AND k.account_id = w.account_id AND k.source = w.source
                  AND k.event_type = w.event_type AND k.direction = w.direction
                  AND k.external_ref = w.external_ref
                  AND k.twin = CASE w.external_ref WHEN '' THEN w.event_id ELSE ''::bytea END
                LIMIT 1
            ) found
        ) w
        WHERE o.ctid = w.row AND o.event_id = w.event_id AND NOT o.reversed
        RETURNING w.n
    ), head AS MATERIALIZED (
        SELECT ledger_advance(
            %(company)s, count(*), %(base_currency)s, (SELECT array_agg(DISTINCT w.account_id) FROM wanted w)
        ) AS position
        FROM claimed HAVING count(*) > 0
    ), numbered AS MATERIALIZED (
        SELECT w.*, row_number() OVER (ORDER BY w.n) AS place FROM wanted w JOIN claimed USING (n)
    )
    INSERT INTO ledger_capitalevent (
        company_id, position, account_id, occurred_at, recorded_at, fx_at, revision, event_id, source,
        event_type, direction, amount, currency, base_amount, fx_rate, fx_source, category, counterparty,
        external_ref, metadata, reverses, actor, reason
    )
    SELECT e.company_id, h.position + w.place, e.account_id, e.occurred_at, %(now)s, e.fx_at, e.revision,
           w.reversal, e.source, e.event_type, CASE e.direction WHEN 'in' THEN 'out' ELSE 'in' END, e.amount,
           e.currency, e.base_amount, e.fx_rate, e.fx_source, e.category, e.counterparty, e.external_ref, '{}',
           e.event_id, %(actor)s, w.reason
    FROM head h, numbered w
    CROSS JOIN LATERAL (
        SELECT * FROM ledger_capitalevent e
        WHERE e.company_id = %(company)s AND e.event_id = w.event_id AND e.occurred_at = w.occurred_at LIMIT 1
    ) e
    RETURNING reverses, position
"""


@dataclass(frozen=True, slots=True)
class ReversalRow:
    """What takes one event back.

    Attributes:
        account_id, source, event_type, direction, external_ref, event_id, occurred_at: of that event.
        reversal: id of the reversal.
        reason: 1 to 255 characters.
    """

    account_id: int
    source: str
    event_type: str
    direction: str
    external_ref: str
    event_id: bytes
    occurred_at: datetime
    reversal: bytes
    reason: str


def reversal_row(
    *,
    company_id: int,
    account_id: int,
    source: str,
    event_type: str,
    direction: str,
    external_ref: str,
    event_id: bytes,
    occurred_at: datetime,
    amount: Decimal,
    currency: str,
    revision: int,
    reason: str,
) -> ReversalRow:
    """Return what takes an event back: the same the other way, dated as the event."""
    (opposite,) = DIRECTIONS - {direction}
    reversal = identify(
        company_id=company_id,
        source=source,
        event_type=event_type,
        direction=opposite,
        account_id=account_id,
        amount=amount,
        currency=currency,
        occurred_at=occurred_at,
        external_ref=external_ref,
        revision=revision,
        reverses=event_id.hex(),
    )
    return ReversalRow(
        account_id, source, event_type, direction, external_ref, event_id, occurred_at, reversal, reason
    )


def write_reversals(
    rows: Sequence[ReversalRow], *, company_id: int, base_currency: str, actor: str, now: datetime
) -> dict[bytes, int]:
    """Append reversals in the caller's transaction; return {id of the reversed event: position of its reversal}.

    An event that was taken back before is left out.
    """
    positions: dict[bytes, int] = {}
    for chunk in batched(rows, ROWS_PER_STATEMENT):
        with connection.cursor() as cursor:
            cursor.execute(
                _WRITE,
                {
                    "company": company_id,
                    "base_currency": base_currency,
                    "actor": actor,
                    "now": now,
                    "accounts": [row.account_id for row in chunk],
                    "sources": [row.source for row in chunk],
                    "types": [row.event_type for row in chunk],
                    "directions": [row.direction for row in chunk],
                    "references": [row.external_ref for row in chunk],
                    "events": [row.event_id for row in chunk],
                    "instants": [row.occurred_at for row in chunk],
                    "reversals": [row.reversal for row in chunk],
                    "reasons": [row.reason for row in chunk],
                },
            )
            positions |= {bytes(reversed_event): position for reversed_event, position in cursor.fetchall()}
    return positions
