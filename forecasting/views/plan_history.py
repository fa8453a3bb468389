"""The versions of a plan: who saved them, when, and what each says otherwise than the one before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from forecasting.planning.difference import PlainChange, RowChange, ValueChange, plan_changes
from forecasting.planning.edit import value_at
from forecasting.planning.row_kind import RowField
from forecasting.selectors.plans import PlanVersion
from ledger.templatetags.amounts import MINUS, NARROW_SPACE, day_date

SHOWN_VERSIONS = 12
SHOWN_CHANGES = 12
NOTHING = "nothing"
PLAIN_NAMES = {
    "company": "Company",
    "base_currency": "Base currency",
    "as_of": "Balances as of",
    "history_start": "First day of the history",
    "opening_balance": "Balance",
    "history_opening_balance": "Balance before the history",
    "fx": "Rate",
}


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version. `changes` are sentences; `more` how many besides those shown."""

    version: int
    recorded_at: datetime
    actor: str
    changes: tuple[str, ...]
    more: int
    is_in_force: bool


def version_rows(versions: Sequence[PlanVersion], *, today: date) -> tuple[VersionRow, ...]:
    """The latest first. The oldest of `versions` tells no changes unless it is the first of all."""
    rows = []
    for place, each in enumerate(versions[:SHOWN_VERSIONS]):
        before = versions[place + 1].document if place + 1 < len(versions) else {}
        said = change_words(before, each.document, today=today) if before or each.version == 1 else ()
        rows.append(
            VersionRow(
                version=each.version,
                recorded_at=each.recorded_at,
                actor=each.actor.removeprefix("page:"),
                changes=said[:SHOWN_CHANGES],
                more=max(len(said) - SHOWN_CHANGES, 0),
                is_in_force=place == 0,
            )
        )
    return tuple(rows)


def change_words(before: Any, after: Any, *, today: date) -> tuple[str, ...]:
    """Each difference as a sentence."""
    currency = str(after.get("base_currency", "") or before.get("base_currency", ""))
    return tuple(
        _row_words(change, currency, today) if isinstance(change, RowChange) else _plain_words(change, today)
        for change in plan_changes(before, after)
    )


def _row_words(change: RowChange, base_currency: str, today: date) -> str:
    currency = value_at(change.row, "currency") or base_currency
    one = f"{change.kind.one[0].upper()}{change.kind.one[1:]}"
    called = _value(
        change.kind.fields_by_name[change.kind.names], value_at(change.row, change.kind.names), currency, today
    )
    name = f"{one} {called}".rstrip()
    if change.change != "changed":
        told = [
            _value(field, value, currency, today)
            for field in change.kind.fields
            if field.name != change.kind.names and field.kind in ("money", "day")
            for value in (value_at(change.row, field.name),)
            if value is not None
        ]
        return f"{name} {change.change}: {', '.join(told)}"
    return f"{name}: {'; '.join(_turned(value, currency, today) for value in change.values)}"


def _turned(change: ValueChange, currency: str, today: date) -> str:
    before, after = (
        _value(change.field, side, currency, today) or NOTHING for side in (change.before, change.after)
    )
    label, _, _unit = change.field.label.partition(", ")
    return f"{label.lower()} {before} → {after}"


def _plain_words(change: PlainChange, today: date) -> str:
    if change.key == "fx_history":
        return "Exchange rates of the past: another list"
    key, _, code = change.key.partition(".")
    name = f"{PLAIN_NAMES[key]} {code}".rstrip()
    before, after = (_plain(key, side, today) for side in (change.before, change.after))
    return f"{name}: {before} → {after}"


def _plain(key: str, value: Any, today: date) -> str:
    if value is None:
        return NOTHING
    if key in ("as_of", "history_start"):
        return day_date(date.fromisoformat(value), today)
    return _amount(value, "") if key in ("opening_balance", "history_opening_balance") else str(value)


def _value(field: RowField, value: Any, currency: str, today: date) -> str:
    if value is None:
        return ""
    if field.kind == "day":
        return day_date(date.fromisoformat(value), today)
    if field.kind == "money":
        return _amount(value, currency)
    if field.kind == "percent":
        return f"{float(value) * 100:.4g}{NARROW_SPACE}%"
    if field.kind == "flag":
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _amount(text: str, currency: str) -> str:
    amount = Decimal(text)
    digits = f"{MINUS if amount < 0 else ''}{abs(amount):,f}"
    return f"{digits}{NARROW_SPACE}{currency}" if currency else digits
