"""Reading the journal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection

from ledger.domain.outcome import JournalEntry
from ledger.models.event import JournalHead

MAX_ROWS = 1000
DEFAULT_ROWS = 100
# Far beyond any journal, and a page after it is still a bigint.
MAX_POSITION = 2**53 - 1

COLUMNS = """
    encode(e.event_id, 'hex'), e.position, e.source, e.event_type, e.direction, a.name, e.amount, e.currency,
    e.occurred_at, e.category, e.counterparty, e.external_ref, e.metadata::text, e.base_amount, e.fx_rate,
    e.fx_source, e.fx_at, e.revision, coalesce(encode(e.reverses, 'hex'), ''), e.recorded_at, e.actor, e.reason
"""
_FROM = "FROM ledger_capitalevent e JOIN ledger_account a ON a.id = e.account_id"
_AFTER = f"SELECT {COLUMNS} {_FROM} WHERE e.company_id = %(company)s AND e.position > %(after)s"
_BETWEEN = f"""
    SELECT {COLUMNS} FROM ledger_journal_between(%(company)s, %(after)s, %(until)s) e
    JOIN ledger_account a ON a.id = e.account_id ORDER BY e.position
"""  # noqa: S608 - made of constants
# One cached look per position, where a list of them would be planned over every month.
_AT = f"""
    SELECT {COLUMNS} FROM unnest(%(positions)s::bigint[]) AS p (position)
    CROSS JOIN LATERAL ledger_journal_between(%(company)s, p.position - 1, p.position) e
    JOIN ledger_account a ON a.id = e.account_id
"""  # noqa: S608 - made of constants
# The time of each event leads to its month.
_KEYED = f"""
    SELECT {COLUMNS}
    FROM unnest(%(ids)s::bytea[], %(times)s::timestamptz[]) AS k (event_id, occurred_at)
    JOIN ledger_capitalevent e
      ON e.company_id = %(company)s AND e.event_id = k.event_id AND e.occurred_at = k.occurred_at
    JOIN ledger_account a ON a.id = e.account_id
"""  # noqa: S608 - made of constants
_LAST_DAY = """
    SELECT max(day) FROM ledger_dailyflow
    WHERE company_id = %(company)s AND (%(today)s::date IS NULL OR day <= %(today)s::date)
"""


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events to list; None means any.

    Attributes:
        occurred_from, occurred_before: half-open interval, aware.
        account: its name.
    """

    source: str | None = None
    event_type: str | None = None
    account: str | None = None
    currency: str | None = None
    external_ref: str | None = None
    occurred_from: datetime | None = None
    occurred_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class EventPage:
    """Attributes:
    entries: by position.
    next_after: pass it as `after` for the page that follows; None at the end.
    """

    entries: tuple[JournalEntry, ...]
    next_after: int | None


def journal_position(*, company_id: int) -> int:
    """Return the last position of a company's journal, 0 when it is empty."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT position FROM ledger_journalhead WHERE company_id = %s", [company_id])
        head = cursor.fetchone()
    return head[0] if head is not None else 0


def journal_positions() -> dict[int, int]:
    """Return {company number: last position} of every company."""
    return dict(JournalHead.objects.values_list("company_id", "position"))


def last_event_day(*, company_id: int, today: date | None = None) -> date | None:
    """Return the last day with an event, in the company's calendar; None when there is none.

    Reads the daily sums: call `catch_up` first. Days after `today` are ignored.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LAST_DAY, {"company": company_id, "today": today})
        last: date | None = cursor.fetchone()[0]
    return last


def list_events(
    *, company_id: int, after: int = 0, limit: int = DEFAULT_ROWS, where: EventFilter | None = None
) -> EventPage:
    """Return up to `limit` (at most 1,000) events after a position, in the order of positions."""
    rows = min(max(limit, 1), MAX_ROWS)
    if where is None or where == EventFilter():
        # Positions are gapless, so the page is known by its bounds.
        found = _fetch(_BETWEEN, {"company": company_id, "after": after, "until": after + rows + 1})
    else:
        conditions, values = _conditions(where)
        found = _fetch(
            f"{_AFTER}{conditions} ORDER BY e.position LIMIT %(rows)s",
            {**values, "company": company_id, "after": after, "rows": rows + 1},
        )
    entries = tuple(JournalEntry(*row) for row in found[:rows])
    return EventPage(entries, entries[-1].position if len(found) > rows else None)


def _fetch(sql: str, values: Mapping[str, Any]) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


def find_event(*, company_id: int, event_id: str, occurred_at: datetime | None = None) -> JournalEntry | None:
    """Return one event, None when the company has none with this id.

    Args:
        event_id: 64 hexadecimal digits.
        occurred_at: of the event, when known; it spares a look into every month.
    """
    try:
        key = bytes.fromhex(event_id)
    except ValueError:
        return None
    sql = f"SELECT {COLUMNS} {_FROM} WHERE e.company_id = %(company)s AND e.event_id = %(key)s"
    if occurred_at is not None:
        sql += " AND e.occurred_at = %(occurred_at)s"
    found = _fetch(sql, {"company": company_id, "key": key, "occurred_at": occurred_at})
    return JournalEntry(*found[0]) if found else None


def find_events(*, company_id: int, keys: Sequence[tuple[str, datetime]]) -> dict[str, JournalEntry]:
    """Return {event id: event} of those events that the company has.

    Args:
        keys: (event_id, occurred_at) of each; the id in 64 hexadecimal digits.
    """
    if not keys:
        return {}
    values = {
        "company": company_id,
        "ids": [bytes.fromhex(event_id) for event_id, _ in keys],
        "times": [occurred_at for _, occurred_at in keys],
    }
    return {entry.event_id: entry for entry in (JournalEntry(*row) for row in _fetch(_KEYED, values))}


def events_at(*, company_id: int, positions: Sequence[int]) -> dict[int, JournalEntry]:
    """Return {position: event} of those positions that the company's journal has."""
    if not positions:
        return {}
    rows = _fetch(_AT, {"company": company_id, "positions": sorted(set(positions))})
    return {entry.position: entry for entry in (JournalEntry(*row) for row in rows)}


def _conditions(where: EventFilter) -> tuple[str, Mapping[str, Any]]:
    clauses = {
        "source": "e.source = %(source)s",
        "event_type": "e.event_type = %(event_type)s",
        "account": "a.name = %(account)s",
        "currency": "e.currency = %(currency)s",
        "external_ref": "e.external_ref = %(external_ref)s",
        "occurred_from": "e.occurred_at >= %(occurred_from)s",
        "occurred_before": "e.occurred_at < %(occurred_before)s",
    }
    values = {name: getattr(where, name) for name in clauses if getattr(where, name) is not None}
    return "".join(f" AND {clauses[name]}" for name in values), values
