"""Taking an event for something else than its feed called it. The journal stays; only the read side follows.

The sums by day are moved in the transaction that stores the reading, under the lock of their cursor. What is not
summed yet is left to `ledger.services.daily_flows`, which looks a reading up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection, transaction

# Locks it too.
_MOVE_CURSOR = """
    UPDATE ledger_dailyflowcursor SET version = version + 1 WHERE company_id = %s RETURNING position, timezone
"""
# What the events and their reversals, as far as they are summed, add to the sums under their present reading. The
# index by source finds a reversal: it has source, type and time of its event.
_MOVE = """
    WITH wanted AS (
        SELECT * FROM unnest(%(ids)s::bytea[], %(instants)s::timestamptz[]) AS w (event_id, occurred_at)
    ), standing AS (
        SELECT e.company_id, (e.occurred_at AT TIME ZONE %(timezone)s)::date AS day, e.account_id, e.currency,
               coalesce(p.event_type, r.event_type, e.event_type) AS event_type, e.direction,
               coalesce(p.category, r.category, e.category) AS category,
               coalesce(p.counterparty, r.counterparty, e.counterparty) AS counterparty,
               coalesce(p.amount, e.amount) AS amount, coalesce(p.base_amount, e.base_amount) AS base_amount,
               %(sign)s * (1 - (
                   SELECT count(*) FROM ledger_capitalevent b
                   WHERE b.company_id = e.company_id AND b.source = e.source AND b.event_type = e.event_type
                     AND b.occurred_at = e.occurred_at AND b.reverses = e.event_id
                     AND b.position <= %(position)s
               )) AS sign
        FROM wanted w
        CROSS JOIN LATERAL (
            SELECT * FROM ledger_capitalevent e
            WHERE e.company_id = %(company)s AND e.event_id = w.event_id AND e.occurred_at = w.occurred_at
        ) e
        LEFT JOIN ledger_eventreading r ON r.company_id = e.company_id AND r.event_id = e.event_id
        LEFT JOIN ledger_eventpart p ON p.company_id = e.company_id AND p.event_id = e.event_id AND p.in_force
        WHERE e.position <= %(position)s AND e.reverses IS NULL
    ), flows AS (
        INSERT INTO ledger_dailyflow AS f (
            company_id, day, account_id, currency, event_type, direction, category, counterparty,
            amount, base_amount, count
        )
        SELECT company_id, day, account_id, currency, event_type, direction, category, counterparty,
               sum(sign * amount), sum(sign * base_amount), sum(sign)
        FROM standing WHERE sign <> 0 GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
        ON CONFLICT (company_id, day, account_id, currency, event_type, direction, category, counterparty)
        DO UPDATE SET amount = f.amount + excluded.amount,
                      base_amount = f.base_amount + excluded.base_amount,
                      count = f.count + excluded.count
    )
    INSERT INTO ledger_accountday AS f (
        company_id, account_id, currency, day, event_type, direction, amount, base_amount, count
    )
    SELECT company_id, account_id, currency, day, event_type, direction, sum(sign * amount),
           sum(sign * base_amount), sum(sign)
    FROM standing WHERE sign <> 0 GROUP BY 1, 2, 3, 4, 5, 6
    ON CONFLICT (company_id, account_id, currency, day, event_type, direction)
    DO UPDATE SET amount = f.amount + excluded.amount,
                  base_amount = f.base_amount + excluded.base_amount,
                  count = f.count + excluded.count
"""
_TYPES = """
    INSERT INTO ledger_eventreading (company_id, event_id, event_type)
    SELECT %(company)s, w.event_id, w.event_type
    FROM unnest(%(ids)s::bytea[], %(types)s::text[]) AS w (event_id, event_type)
    ON CONFLICT (company_id, event_id) DO UPDATE SET event_type = excluded.event_type
"""
_NAMES = """
    INSERT INTO ledger_eventreading (company_id, event_id, category, counterparty)
    SELECT %(company)s, w.event_id, w.category, w.counterparty
    FROM unnest(%(ids)s::bytea[], %(categories)s::text[], %(counterparties)s::text[])
         AS w (event_id, category, counterparty)
    ON CONFLICT (company_id, event_id)
    DO UPDATE SET category = excluded.category, counterparty = excluded.counterparty
"""
_PUT_TOGETHER = """
    UPDATE ledger_eventpart SET in_force = false
    WHERE company_id = %(company)s AND event_id = ANY(%(ids)s::bytea[]) AND in_force
"""
_SPLIT = """
    INSERT INTO ledger_eventpart (
        company_id, split_id, event_id, part, amount, base_amount, event_type, category, counterparty, in_force
    )
    SELECT %(company)s, %(split)s, %(event)s, w.part, w.amount, w.base_amount, w.event_type, w.category,
           w.counterparty, true
    FROM unnest(%(parts)s::smallint[], %(amounts)s::numeric[], %(bases)s::numeric[], %(types)s::text[],
                %(categories)s::text[], %(counterparties)s::text[])
         AS w (part, amount, base_amount, event_type, category, counterparty)
"""
_FORGET = """
    DELETE FROM ledger_eventreading
    WHERE company_id = %(company)s AND event_id = ANY(%(ids)s::bytea[])
      AND event_type IS NULL AND category IS NULL AND counterparty IS NULL
"""


@dataclass(frozen=True, slots=True)
class TypeReading:
    """What kind of event it counts as; None: as recorded."""

    event_id: bytes
    occurred_at: datetime
    event_type: str | None


@dataclass(frozen=True, slots=True)
class NameReading:
    """What the event is for and with whom; None: as recorded."""

    event_id: bytes
    occurred_at: datetime
    category: str | None
    counterparty: str | None


def read_types(*, company_id: int, readings: Sequence[TypeReading]) -> None:
    """Count events as another type from now on, also in days that are summed already."""
    _read(company_id, readings, _TYPES, {"types": [each.event_type for each in readings]})


def read_names(*, company_id: int, readings: Sequence[NameReading]) -> None:
    """Show events under another category or counterparty from now on, also in days that are summed already."""
    _read(
        company_id,
        readings,
        _NAMES,
        {
            "categories": [each.category for each in readings],
            "counterparties": [each.counterparty for each in readings],
        },
    )


@dataclass(frozen=True, slots=True)
class PartReading:
    """One of the things that an event is; see `EventPart`. None: as the event was recorded."""

    part: int
    amount: Decimal
    base_amount: Decimal
    event_type: str | None
    category: str | None
    counterparty: str | None


def read_parts(
    *, company_id: int, event_id: bytes, occurred_at: datetime, split_id: int, parts: Sequence[PartReading]
) -> None:
    """Count an event as its parts from now on. That they add up to it is for the caller to see to."""
    values = {
        "split": split_id,
        "event": event_id,
        "parts": [each.part for each in parts],
        "amounts": [each.amount for each in parts],
        "bases": [each.base_amount for each in parts],
        "types": [each.event_type for each in parts],
        "categories": [each.category for each in parts],
        "counterparties": [each.counterparty for each in parts],
    }
    _move(company_id, [(event_id, occurred_at)], _SPLIT, values)


def read_whole(*, company_id: int, events: Sequence[tuple[bytes, datetime]]) -> None:
    """Count events as one thing again. Each is named by its id and the instant at which it happened."""
    _move(company_id, events, _PUT_TOGETHER, {})


def _read(
    company_id: int, readings: Sequence[TypeReading] | Sequence[NameReading], write: str, values: dict
) -> None:
    _move(company_id, [(each.event_id, each.occurred_at) for each in readings], write, values)


def _move(company_id: int, events: Sequence[tuple[bytes, datetime]], write: str, values: dict) -> None:
    """Take events out of the sums, write how they are read, and put them in again."""
    if not events:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_MOVE_CURSOR, [company_id])
        position, timezone = cursor.fetchone() or (0, "UTC")
        known = {
            "company": company_id,
            "ids": [event_id for event_id, _ in events],
            "instants": [occurred_at for _, occurred_at in events],
            "position": position,
            "timezone": timezone,
        }
        cursor.execute(_MOVE, {**known, "sign": -1})
        cursor.execute(write, {**known, **values})
        cursor.execute(_MOVE, {**known, "sign": 1})
        cursor.execute(_FORGET, known)
