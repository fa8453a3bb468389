"""The fields of a change: what each may hold, read from JSON with the field's name in every complaint."""

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from forecasting.fit.plan import FIRST_YEAR, LAST_YEAR
from ledger.domain.problems import FieldProblem

Kind = Literal["day", "money", "share", "whole", "text", "currency", "choice"]

TEXT_LIMIT = 255
MOST_MONEY = Decimal("1e12")
MONEY_DECIMALS = 6

_MONEY = re.compile(r"\d{1,13}(\.\d+)?", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rule:
    """What a field holds.

    Attributes:
        kind: day (ISO 8601), money (text, above zero), share (0.1 is 10 %), whole, text, currency, choice.
        label: for people; `hint` adds a few words.
        at_least, at_most: of a share or a whole number.
        choices: of a choice, value and label.
    """

    kind: Kind
    label: str
    hint: str = ""
    at_least: float = 0.0
    at_most: float = 1.0
    choices: tuple[tuple[str, str], ...] = ()


def ruled(rule: Rule, *, default: Any = MISSING) -> Any:
    """A dataclass field that obeys a rule; with a default it may be left out."""
    if default is MISSING:
        return field(metadata={"rule": rule})
    return field(default=default, metadata={"rule": rule})


def rule_of(each: Field[Any]) -> Rule:
    rule: Rule = each.metadata["rule"]
    return rule


def is_required(each: Field[Any]) -> bool:
    return each.default is MISSING


def read_fields(kind: type, raw: Mapping[str, Any], *, path: str, problems: list[FieldProblem]) -> dict[str, Any]:
    """The values of a change's fields; whatever is wrong is added to `problems` under `path.field`."""
    known = {each.name: each for each in fields(kind)}
    problems += [
        FieldProblem(f"{path}.{name}", f"is not known here; known: {', '.join(known)}")
        for name in raw
        if name != "kind" and name not in known
    ]
    found = {}
    for name, each in known.items():
        if name not in raw:
            if is_required(each):
                problems.append(FieldProblem(f"{path}.{name}", "is missing"))
            continue
        rule = rule_of(each)
        try:
            found[name] = _READERS[rule.kind](rule, raw[name])
        except ValueError as error:
            problems.append(FieldProblem(f"{path}.{name}", str(error)))
    return found


def written(value: Any) -> Any:
    """A field's value as JSON holds it."""
    if isinstance(value, date):
        return value.isoformat()
    return format(value, "f") if isinstance(value, Decimal) else value


def _day(rule: Rule, raw: object) -> date:
    del rule
    if isinstance(raw, str) and _DAY.fullmatch(raw):
        try:
            day = date.fromisoformat(raw)
        except ValueError:
            day = None
        if day is not None and FIRST_YEAR <= day.year <= LAST_YEAR:
            return day
    raise ValueError(f"must be a date of {FIRST_YEAR} to {LAST_YEAR} as YYYY-MM-DD")


def _money(rule: Rule, raw: object) -> Decimal:
    del rule
    if not isinstance(raw, str) or not _MONEY.fullmatch(raw):
        raise ValueError('must be an amount above zero as text, e.g. "1500.00"')
    amount = Decimal(raw)
    if not 0 < amount <= MOST_MONEY:
        raise ValueError(f"must be above zero and at most {MOST_MONEY:,.0f}")
    if len(raw.partition(".")[2]) > MONEY_DECIMALS:
        raise ValueError(f"has more than {MONEY_DECIMALS} decimals")
    return amount


def _share(rule: Rule, raw: object) -> float:
    if isinstance(raw, bool) or not isinstance(raw, (int, float, Decimal)):
        raise ValueError("must be a number, e.g. 0.1 for 10 %")
    if not rule.at_least <= raw <= rule.at_most:
        raise ValueError(
            f"must be {rule.at_least:g} to {rule.at_most:g}, which is {rule.at_least:.0%} to {rule.at_most:.0%}"
        )
    return round(float(raw), 6) + 0.0  # no negative zero


def _whole(rule: Rule, raw: object) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int) or not rule.at_least <= raw <= rule.at_most:
        raise ValueError(f"must be a whole number of {rule.at_least:g} to {rule.at_most:g}")
    return raw


def _text(rule: Rule, raw: object) -> str:
    del rule
    if not isinstance(raw, str) or len(raw) > TEXT_LIMIT or _is_unstorable(raw):
        raise ValueError(f"must be text of at most {TEXT_LIMIT} characters")
    return raw.strip()


def _is_unstorable(text: str) -> bool:
    """PostgreSQL keeps no NUL, and no half of a surrogate pair."""
    return any(letter == "\x00" or "\ud800" <= letter <= "\udfff" for letter in text)


def _currency(rule: Rule, raw: object) -> str:
    del rule
    if not isinstance(raw, str) or (raw and not _CURRENCY.fullmatch(raw)):
        raise ValueError("must be a currency code of three capital letters, e.g. USD")
    return raw


def _choice(rule: Rule, raw: object) -> str:
    known = [value for value, _ in rule.choices]
    if not isinstance(raw, str) or raw not in known:
        raise ValueError(f"must be one of {', '.join(known)}")
    return raw


_READERS: dict[str, Callable[[Rule, object], Any]] = {
    "day": _day,
    "money": _money,
    "share": _share,
    "whole": _whole,
    "text": _text,
    "currency": _currency,
    "choice": _choice,
}
