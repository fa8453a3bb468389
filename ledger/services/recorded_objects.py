"""What is recorded of a provider's objects, and how it differs from what is said of them now."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import batched

from django.db import connection

from ledger.domain.event import DIRECTIONS, EVENT_TYPES
from ledger.domain.intake import ObjectKey
from ledger.models.event import ExternalObject
from ledger.services.journal_rows import JournalRow

OBJECTS_PER_QUERY = 5000

# In the order of their keys, so that two who speak about the same objects wait and never deadlock.
_SAY = """
    INSERT INTO ledger_objectstatement AS s (company_id, source, external_ref, said_at)
    SELECT %s, k.source, k.external_ref, %s FROM unnest(%s::text[], %s::text[]) AS k (source, external_ref)
    ORDER BY k.source, k.external_ref
    ON CONFLICT (company_id, source, external_ref) DO UPDATE SET said_at = excluded.said_at
    WHERE s.said_at <= excluded.said_at
    RETURNING s.source, s.external_ref
"""
# A reversal has source, type and time of its event, which the index by source finds.
_REVERSED_BY = """
    SELECT w.event_id
    FROM unnest(%s::text[], %s::text[], %s::timestamptz[], %s::bytea[])
        AS w (source, event_type, occurred_at, event_id)
    CROSS JOIN LATERAL (
        SELECT r.actor FROM ledger_capitalevent r
        WHERE r.company_id = %s AND r.source = w.source AND r.event_type = w.event_type
          AND r.occurred_at = w.occurred_at AND r.reverses = w.event_id
        LIMIT 1
    ) r
    WHERE r.actor = %s
"""

# What no two events that stand may share: account, source, type, direction and reference.
Place = tuple[int, str, str, str, str]


def newest_word(*, company_id: int, keys: Iterable[ObjectKey], said_at: datetime) -> frozenset[ObjectKey]:
    """Note when objects were spoken about; return those of which nothing newer is known.

    The notes are locked until the commit, so two deliveries about one object wait for each other.
    """
    named = [key for key in keys if key.external_ref]
    sources, references = [key.source for key in named], [key.external_ref for key in named]
    with connection.cursor() as cursor:
        cursor.execute(_SAY, [company_id, said_at, sources, references])
        return frozenset(ObjectKey(source, external_ref) for source, external_ref in cursor.fetchall())


def known_objects(
    *, company_id: int, account_ids: Collection[int], keys: Iterable[ObjectKey]
) -> dict[ObjectKey, list[ExternalObject]]:
    """Return what is recorded of objects in any of these accounts, locked until the commit."""
    references: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        references[key.source].append(key.external_ref)
    known: dict[ObjectKey, list[ExternalObject]] = defaultdict(list)
    for source, named in sorted(references.items()):
        for chunk in batched(sorted(named), OBJECTS_PER_QUERY):
            # Every column of the key is named, so that its index finds them.
            things = ExternalObject.objects.select_for_update().filter(
                company_id=company_id,
                account_id__in=list(account_ids),
                source=source,
                event_type__in=sorted(EVENT_TYPES),
                direction__in=sorted(DIRECTIONS),
                external_ref__in=chunk,
                twin=b"",
            )
            for thing in things.order_by("account_id", "source", "event_type", "direction", "external_ref"):
                known[ObjectKey(source, thing.external_ref)].append(thing)
    return known


def reversed_by(*, company_id: int, actor: str, things: Sequence[ExternalObject]) -> set[bytes]:
    """Return the ids of those events that an actor took back."""
    if not things:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            _REVERSED_BY,
            [
                [thing.source for thing in things],
                [thing.event_type for thing in things],
                [thing.occurred_at for thing in things],
                [bytes(thing.event_id) for thing in things],
                company_id,
                actor,
            ],
        )
        return {bytes(event_id) for (event_id,) in cursor.fetchall()}


def place_of_row(row: JournalRow) -> Place:
    draft = row.draft
    return (row.account_id, draft.source, draft.event_type, row.direction, draft.external_ref)


def place_of(thing: ExternalObject) -> Place:
    return (thing.account_id, thing.source, thing.event_type, thing.direction, thing.external_ref)


def content_differs(thing: ExternalObject, row: JournalRow) -> str:
    """Names of the fields that differ between an event and what is said in its place; empty for none."""
    pairs = {
        "amount": (thing.amount, row.draft.amount),
        "currency": (thing.currency, row.draft.currency),
        "occurred_at": (thing.occurred_at, row.occurred_at),
    }
    return ", ".join(name for name, (was, said) in pairs.items() if was != said)


def place_differs(thing: ExternalObject, rows: Sequence[JournalRow]) -> str:
    """Names of the fields by which an event lies elsewhere than the nearest of those said now."""
    was = {"account": thing.account_id, "event_type": thing.event_type, "direction": thing.direction}

    def differs(row: JournalRow) -> list[str]:
        said = {"account": row.account_id, "event_type": row.draft.event_type, "direction": row.direction}
        return [name for name, value in was.items() if said[name] != value]

    nearest = min((differs(row) for row in rows), key=lambda names: len(names))
    return ", ".join(nearest)
