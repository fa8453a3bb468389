"""A row of the plan as a form: what is typed, what it means, and what is wrong with it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from forecasting.fit.plan import PlanProblem
from forecasting.planning.edit import nested, value_at
from forecasting.planning.row_kind import RowField, RowKind
from ledger.views.typed_amount import NotAnAmount, typed_amount

START_AHEAD_DAYS, LAST_DAY_AHEAD_DAYS = 30, 365
MOST_TYPED = 300

_NUMBER = re.compile(r"[-+]?\d{1,6}([.,]\d{1,6})?", re.ASCII)
_OF_ROW = re.compile(r"[a-z_]+\[\d+\]\.?")
# Lists of names that help with a field, as the page writes them.
LISTS = {
    "vendor": "known-names",
    "customer": "known-customers",
    "provider": "known-clouds",
    "currency": "known-currencies",
}
# What the plan says of a share, said in the per cent that the form asks for.
OUT_OF_ODDS = "must be above 0 and below 100: no tranche is certain, none is impossible"


@dataclass(frozen=True, slots=True)
class FormInput:
    """One input. `value` is as typed, `error` what is wrong with it."""

    rule: RowField
    value: str
    error: str
    names: str

    @property
    def name(self) -> str:
        return self.rule.name


@dataclass(frozen=True, slots=True)
class RowForm:
    """A row that is being edited, or a new one when `place` is None.

    Attributes:
        typed: values by field name.
        errors: by field name; '' for what is wrong with the row as a whole.
    """

    kind: RowKind
    place: int | None
    typed: Mapping[str, str]
    errors: Mapping[str, str]

    @property
    def inputs(self) -> tuple[FormInput, ...]:
        return tuple(
            FormInput(
                rule=field,
                value=self.typed.get(field.name, ""),
                error=self.errors.get(field.name, ""),
                names=LISTS.get(field.name, ""),
            )
            for field in self.kind.fields
        )

    @property
    def error(self) -> str:
        return self.errors.get("", "")

    @property
    def told_errors(self) -> tuple[str, ...]:
        """Every error with the label of its input."""
        labels = {field.name: field.label for field in self.kind.fields}
        return tuple(f"{labels[name]} {said}" if name else said for name, said in self.errors.items())

    def refused(self, problems: Sequence[PlanProblem]) -> "RowForm":
        """The same with what the plan found wrong; what belongs to no input is said of the whole row."""
        errors = dict(self.errors)
        kinds = {field.name: field.kind for field in self.kind.fields}
        for problem in problems:
            own = problem.path.startswith(f"{self.kind.key}[")
            name = _OF_ROW.sub("", problem.path, count=1) if own else ""
            message = problem.message if own else f"{problem.path}: {problem.message}"
            if kinds.get(name) == "percent" and message.startswith("must lie"):
                message = OUT_OF_ODDS
            errors.setdefault(name if name in kinds else "", message)
        return replace(self, errors=errors)


def fresh_form(kind: RowKind, *, today: date, currency: str) -> RowForm:
    """A new row with what is usual."""
    typed = {field.name: field.fresh for field in kind.fields}
    for field in kind.fields:
        if field.kind == "day":
            ahead = LAST_DAY_AHEAD_DAYS if field.name == "expires" else START_AHEAD_DAYS
            typed[field.name] = (today + timedelta(days=ahead)).isoformat()
        elif field.kind == "currency":
            typed[field.name] = currency
    return RowForm(kind=kind, place=None, typed=typed, errors={})


def form_of(kind: RowKind, *, place: int, row: Mapping[str, Any]) -> RowForm:
    """A row as somebody would have typed it."""
    return RowForm(
        kind=kind,
        place=place,
        typed={field.name: _shown(field, value_at(row, field.name)) for field in kind.fields},
        errors={},
    )


def read_form(kind: RowKind, *, place: int | None, given: Mapping[str, Any]) -> tuple[RowForm, dict[str, Any]]:
    """What was typed, and the row that it means. What cannot be read is an error of its field, and stays out."""
    typed = {field.name: str(given.get(field.name, "")).strip()[:MOST_TYPED] for field in kind.fields}
    values: dict[str, Any] = dict(kind.fixed)
    errors = {}
    for field in kind.fields:
        try:
            value = _read(field, typed[field.name])
        except ValueError as error:
            errors[field.name] = str(error)
        else:
            if value is not None:
                values[field.name] = value
    return RowForm(kind=kind, place=place, typed=typed, errors=errors), nested(values)


def _read(field: RowField, text: str) -> Any:
    """The value that JSON holds; None where nothing need be said.

    Raises:
        ValueError: saying what it must be.
    """
    if field.kind == "flag":
        return bool(text)
    if not text:
        if field.is_required:
            raise ValueError("is missing")
        return None
    if field.kind == "money":
        return plain_amount(text)
    if field.kind == "percent":
        return round(_number(text) / 100, 8)
    if field.kind == "days":
        number = _number(text)
        return int(number) if number.is_integer() else number
    return text.upper() if field.kind == "currency" else text


def plain_amount(text: str) -> str:
    """`1,234.50` -> `1234.50`.

    Raises:
        ValueError: saying what it must be.
    """
    try:
        return format(typed_amount(text.replace("\N{NO-BREAK SPACE}", "").replace(" ", "")), "f")
    except NotAnAmount:
        raise ValueError("must be an amount such as 12,500.00") from None


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise ValueError("must be a number")
    return float(text.replace(",", "."))


def _shown(field: RowField, value: Any) -> str:
    if value is None or value is False:
        return ""
    if field.kind == "flag":
        return "on"
    if field.kind == "percent":
        return f"{float(value) * 100:.8g}"
    if field.kind == "days":
        return f"{float(value):.8g}"
    if field.kind == "money":
        return f"{Decimal(value):,f}"
    return str(value)
