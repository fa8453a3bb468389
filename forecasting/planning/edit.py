"""A plan with something changed. Documents are plain JSON values, as in `plan.json`, and are never altered."""

from collections.abc import Mapping
from typing import Any

Document = Mapping[str, Any]


class NoSuchRow(LookupError):
    """The plan has no row there."""


def rows_of(document: Document, *, key: str) -> list[Any]:
    """The rows of a list; none where the plan says nothing of it."""
    return list(document.get(key, ()))


def with_row(document: Document, *, key: str, place: int | None, row: Document) -> dict[str, Any]:
    """The plan with a row put in the place of another, or added behind the last when `place` is None.

    Raises:
        NoSuchRow: there is none to replace.
    """
    rows = rows_of(document, key=key)
    if place is None:
        rows.append(dict(row))
    else:
        _held(rows, key=key, place=place)
        rows[place] = dict(row)
    return {**document, key: rows}


def without_row(document: Document, *, key: str, place: int) -> dict[str, Any]:
    """The plan without a row.

    Raises:
        NoSuchRow: there is none to take out.
    """
    rows = rows_of(document, key=key)
    _held(rows, key=key, place=place)
    del rows[place]
    return {**document, key: rows}


def value_at(row: Document, name: str) -> Any:
    """The value of `delay.mean_days`; None where there is none."""
    value: Any = row
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def nested(values: Document) -> dict[str, Any]:
    """`{"delay.sd_days": 9}` -> `{"delay": {"sd_days": 9}}`."""
    row: dict[str, Any] = {}
    for name, value in values.items():
        *outer, last = name.split(".")
        place = row
        for part in outer:
            place = place.setdefault(part, {})
        place[last] = value
    return row


def _held(rows: list[Any], *, key: str, place: int) -> None:
    if not 0 <= place < len(rows):
        raise NoSuchRow(f"{key}[{place}]")
