"""Counting what became of everything that a delivery says, over all the times that it is read."""

from collections import Counter
from collections.abc import Collection, Sequence

from django.db import connection

from ledger.domain.intake import Fate
from ledger.models.delivery import Delivery
from ledger.services.record_intake import Item

# What a reading appended to the journal stays counted, whatever a later reading finds.
_LASTING = (Fate.RECORDED, Fate.CORRECTED, Fate.TAKEN_BACK)
_NOTHING_NEW = frozenset({Fate.DUPLICATE, Fate.IGNORED})
_APPENDED = """
    SELECT e.reverses IS NOT NULL, e.source, e.external_ref, e.event_type, e.direction, encode(e.event_id, 'hex')
    FROM ledger_provenance p
    CROSS JOIN LATERAL ledger_journal_between(p.company_id, p.first_position - 1, p.last_position) e
    WHERE p.company_id = %s AND p.delivery_id = %s
"""


def items_before(delivery: Delivery) -> frozenset[tuple[str, ...]]:
    """Names of the items of which earlier readings of a delivery appended something to the journal."""
    if not any(getattr(delivery, fate.value) for fate in _LASTING):
        return frozenset()
    with connection.cursor() as cursor:
        cursor.execute(_APPENDED, [delivery.company_id, delivery.pk])
        return frozenset(
            ("removed", source, external_ref)
            if takes_back
            else ("event", source, external_ref, event_type, direction)
            if external_ref
            else ("event", event_id)
            for takes_back, source, external_ref, event_type, direction, event_id in cursor.fetchall()
        )


def counted(
    delivery: Delivery, items: Sequence[Item], *, before: Collection[tuple[str, ...]] = ()
) -> dict[str, int]:
    """Return the counts of a delivery after a reading that found these items.

    An item that an earlier reading recorded is found as a duplicate by the next, and is not counted twice.

    Args:
        before: as `items_before` returned it ahead of this reading.
    """
    new = [item for item in items if not (item.fate in _NOTHING_NEW and item.name in before)]
    lasting = {fate.value: getattr(delivery, fate.value) for fate in _LASTING}
    counts = Counter(item.fate.value for item in new) + Counter(lasting)
    return {fate.value: counts[fate.value] for fate in Fate} | {"items": len(new) + sum(lasting.values())}


def undivided(fate: Fate) -> tuple[Item, ...]:
    """A delivery that cannot be taken apart, or says nothing about money, is one item."""
    return (Item(("delivery",), fate),)
