"""What two versions of a plan differ in, row by row."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from forecasting.planning.edit import Document, rows_of, value_at
from forecasting.planning.row_kind import ROW_KINDS, RowField, RowKind

# One value each, and balances by currency; `fx_history` is long and told as a whole.
PLAIN = ("company", "base_currency", "as_of", "history_start")
BY_CURRENCY = ("opening_balance", "history_opening_balance", "fx")


@dataclass(frozen=True, slots=True)
class ValueChange:
    """A value that is another now; None on the side that says nothing."""

    field: RowField
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class RowChange:
    """A row that came, went or says something else.

    Attributes:
        row: as it is now, or as it was when it went.
        change: added, removed or changed.
        values: what is said otherwise; empty for a row that came or went.
    """

    kind: RowKind
    change: str
    row: Document
    values: tuple[ValueChange, ...] = ()


@dataclass(frozen=True, slots=True)
class PlainChange:
    """A value outside the lists; `key` is its path, None on the side that says nothing."""

    key: str
    before: Any
    after: Any


def plan_changes(before: Document, after: Document) -> tuple[RowChange | PlainChange, ...]:
    """Everything that differs. Rows that are alike are left out wherever they stand; the others are paired by what
    they are called, in their order.
    """
    changes: list[RowChange | PlainChange] = []
    for kind in ROW_KINDS.values():
        changes += _rows_changed(kind, rows_of(before, key=kind.key), rows_of(after, key=kind.key))
    changes += [
        PlainChange(key, before.get(key), after.get(key)) for key in PLAIN if before.get(key) != after.get(key)
    ]
    for key in BY_CURRENCY:
        changes += _by_currency(key, before.get(key, {}), after.get(key, {}))
    if before.get("fx_history", []) != after.get("fx_history", []):
        sides = (len(each.get("fx_history", [])) for each in (before, after))
        changes.append(PlainChange("fx_history", *sides))
    return tuple(changes)


def _rows_changed(kind: RowKind, before: list[Any], after: list[Any]) -> list[RowChange]:
    gone = list(before)
    fresh = []
    for row in after:
        if row in gone:
            gone.remove(row)
        else:
            fresh.append(row)
    changes = []
    for row in fresh:
        called = value_at(row, kind.names)
        former = next((each for each in gone if value_at(each, kind.names) == called), None)
        if former is None:
            changes.append(RowChange(kind, "added", row))
            continue
        gone.remove(former)
        changes.append(RowChange(kind, "changed", row, _values_changed(kind, former, row)))
    return changes + [RowChange(kind, "removed", row) for row in gone]


def _values_changed(kind: RowKind, before: Document, after: Document) -> tuple[ValueChange, ...]:
    sides = ((field, value_at(before, field.name), value_at(after, field.name)) for field in kind.fields)
    return tuple(ValueChange(field, old, new) for field, old, new in sides if old != new)


def _by_currency(key: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[PlainChange]:
    return [
        PlainChange(f"{key}.{code}", before.get(code), after.get(code))
        for code in sorted({*before, *after})
        if before.get(code) != after.get(code)
    ]
