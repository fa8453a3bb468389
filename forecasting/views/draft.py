"""A scenario in the making, as the fields of a form: `2-kind`, `2-start`, `2-share` … is the third change."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Any

from forecasting.scenarios.change import Change, InvalidScenario
from forecasting.scenarios.fields import Rule, is_required, rule_of, written
from forecasting.scenarios.registry import all_changes
from forecasting.scenarios.scenario import MOST_CHANGES, read_changes
from forecasting.views.known_names import LISTS, NAMING

_PLACE = re.compile(r"(\d{1,2})-kind", re.ASCII)
_WHOLE = re.compile(r"\d{1,9}", re.ASCII)
_NUMBER = re.compile(r"[-+]?\d{1,6}([.,]\d{1,6})?", re.ASCII)
# What a fresh change starts from: enough to see something move.
START_AHEAD_DAYS = 30
FRESH = {"share": "10", "per_month": "2", "days": "60", "monthly_gross": "8000", "amount": "250000"}
FRESH |= {"saving_per_month": "1000"}


@dataclass(frozen=True, slots=True)
class DraftField:
    """One input. `value` is as typed; a share is in per cent."""

    name: str
    rule: Rule
    value: str
    required: bool
    error: str
    least: str
    most: str
    names: str


@dataclass(frozen=True, slots=True)
class DraftChange:
    """One change as a group of inputs; `currency` is what its amounts are in, '' the company's own."""

    place: int
    kind: str
    label: str
    inputs: tuple[DraftField, ...]
    error: str
    currency: str


@dataclass(frozen=True, slots=True)
class Draft:
    """Values as typed, by change; what is wrong with them by `changes[n].field`."""

    typed: tuple[Mapping[str, str], ...]
    changes: tuple[Change, ...] | None
    errors: Mapping[str, str]

    @property
    def is_empty(self) -> bool:
        return not self.typed

    def refused(self, error: InvalidScenario) -> "Draft":
        """The same with what a simulation found wrong."""
        found = {each.field: each.message for each in reversed(error.errors)}
        return Draft(typed=self.typed, changes=None, errors=found)

    def naming(self, firsts: Mapping[str, str]) -> "Draft":
        """The same, where the last change names what it left empty and must name."""
        if not self.typed or (kind := all_changes().get(self.typed[-1].get("kind", ""))) is None:
            return self
        *before, last = self.typed
        asked = [each.name for each in fields(kind) if is_required(each) and not last.get(each.name)]
        return draft_of([*before, {**last, **{name: firsts[name] for name in asked if name in firsts}}])

    def groups(self) -> tuple[DraftChange, ...]:
        """For the template."""
        return tuple(_group(n, typed, self.errors) for n, typed in enumerate(self.typed))


def read_draft(given: Mapping[str, Any], *, today: date) -> Draft:
    """The draft of a query or a form; `add` appends a fresh change of a kind, `remove` takes one out."""
    places = sorted(int(match[1]) for name in given if (match := _PLACE.fullmatch(name)))
    removed = str(given.get("remove", ""))
    typed = [
        {name.partition("-")[2]: str(given[name])[:300] for name in given if name.startswith(f"{place}-")}
        for place in places
        if str(place) != removed
    ]
    added = str(given.get("add", ""))
    if added in all_changes() and len(typed) < MOST_CHANGES:
        typed.append(_fresh(added, today=today))
    return draft_of(typed[:MOST_CHANGES])


def draft_of(typed: Sequence[Mapping[str, str]]) -> Draft:
    """Read what was typed."""
    raw = [_raw(each) for each in typed]
    try:
        return Draft(typed=tuple(typed), changes=read_changes(raw), errors={})
    except InvalidScenario as error:
        return Draft(typed=tuple(typed), changes=(), errors={}).refused(error)


def typed_from(changes: Sequence[Change]) -> tuple[dict[str, str], ...]:
    """Changes as somebody would have typed them."""
    return tuple(
        {"kind": each.KIND}
        | {spec.name: _shown(rule_of(spec), written(getattr(each, spec.name))) for spec in fields(each)}
        for each in changes
    )


def query_of(typed: Sequence[Mapping[str, str]]) -> list[tuple[str, str]]:
    """The draft as pairs of a query string."""
    return [(f"{n}-{name}", value) for n, each in enumerate(typed) for name, value in each.items()]


def _group(n: int, typed: Mapping[str, str], errors: Mapping[str, str]) -> DraftChange:
    kind = all_changes().get(typed.get("kind", ""))
    path = f"changes[{n}]"
    inputs = [] if kind is None else [_input(n, spec, typed, errors) for spec in fields(kind)]
    return DraftChange(
        place=n,
        kind=typed.get("kind", ""),
        label="Unknown change" if kind is None else kind.LABEL,
        inputs=tuple(inputs),
        error=errors.get(path) or errors.get(f"{path}.kind", ""),
        currency=typed.get("currency", "").strip().upper(),
    )


def _input(n: int, spec: Any, typed: Mapping[str, str], errors: Mapping[str, str]) -> DraftField:
    rule = rule_of(spec)
    scale = 100 if rule.kind == "share" else 1
    default = "" if is_required(spec) else _shown(rule, written(spec.default))
    return DraftField(
        name=f"{n}-{spec.name}",
        rule=rule,
        value=typed.get(spec.name, default),
        required=is_required(spec),
        error=_as_typed(errors.get(f"changes[{n}].{spec.name}", ""), rule),
        least=f"{rule.at_least * scale:g}",
        most=f"{rule.at_most * scale:g}",
        names=LISTS.get(spec.name, "") if rule.kind in NAMING else "",
    )


def _as_typed(error: str, rule: Rule) -> str:
    """A complaint about the range of a share, said in the per cent that the form asks for."""
    if rule.kind == "share" and error.startswith("must be"):
        return f"must be a number of {rule.at_least * 100:g} to {rule.at_most * 100:g}"
    return error


def _fresh(kind: str, *, today: date) -> dict[str, str]:
    start = (today + timedelta(days=START_AHEAD_DAYS)).isoformat()
    typed = {"kind": kind}
    for spec in fields(all_changes()[kind]):
        rule = rule_of(spec)
        if rule.kind == "day":
            typed[spec.name] = start
        elif is_required(spec):
            typed[spec.name] = FRESH.get(spec.name, "")
        else:
            typed[spec.name] = _shown(rule, written(spec.default))
    return typed


def _raw(typed: Mapping[str, str]) -> dict[str, Any]:
    """As JSON would hold it; what cannot be read stays text, and is refused by name."""
    kind = all_changes().get(typed.get("kind", ""))
    raw: dict[str, Any] = {"kind": typed.get("kind", "")}
    if kind is None:
        return raw
    for spec in fields(kind):
        value = typed.get(spec.name, "").strip()
        rule = rule_of(spec)
        if not value and not is_required(spec):
            continue
        if rule.kind == "share" and _NUMBER.fullmatch(value):
            raw[spec.name] = round(float(value.replace(",", ".")) / 100, 8)
        elif rule.kind == "whole" and _WHOLE.fullmatch(value):
            raw[spec.name] = int(value)
        elif rule.kind == "money":
            raw[spec.name] = value.replace(",", "").replace("\N{NO-BREAK SPACE}", "").replace(" ", "")
        else:
            raw[spec.name] = value.upper() if rule.kind == "currency" else value
    return raw


def _shown(rule: Rule, value: Any) -> str:
    return f"{value * 100:.6g}" if rule.kind == "share" else str(value)
