"""Keeping by what events came, in the transaction that records them."""

from collections.abc import Collection
from dataclasses import dataclass

from ledger.models.provenance import Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class CameBy:
    """The number of what brought events: one of these."""

    delivery_id: int | None = None
    walk_id: int | None = None
    import_file_id: int | None = None


def keep_provenance(*, company_id: int, positions: Collection[int], came_by: CameBy) -> None:
    """Say by what the events came that the running transaction recorded; nothing for none.

    Args:
        positions: all that the transaction has taken so far.
    """
    if not positions:
        return
    first, last = min(positions), max(positions)
    if last - first + 1 != len(positions):
        raise AssertionError(f"positions {first} to {last} are not {len(positions)} in a row")
    Provenance.objects.create(
        company_id=company_id,
        first_position=first,
        last_position=last,
        delivery_id=came_by.delivery_id,
        walk_id=came_by.walk_id,
        import_file_id=came_by.import_file_id,
    )
