"""What the plan says of balances and rates, as a form: a line a currency."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from forecasting.fit.plan import PlanProblem
from forecasting.views.plan_form import MOST_TYPED, plain_amount

SPARE_LINES, MOST_LINES = 2, 40
AMOUNTS = {"opening": "opening_balance", "history": "history_opening_balance"}
RATE = "rate"


@dataclass(frozen=True, slots=True)
class BooksLine:
    """One currency: what is held of it on both days, and its rate in base currency; as typed."""

    place: int
    currency: str
    opening: str
    history: str
    rate: str
    errors: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BooksForm:
    """Attributes:
    errors: of `as_of`, `history_start`, and '' of what belongs to no input.
    """

    as_of: str
    history_start: str
    lines: tuple[BooksLine, ...]
    errors: Mapping[str, str]

    @property
    def error(self) -> str:
        return self.errors.get("", "")

    @property
    def told_errors(self) -> tuple[str, ...]:
        """Every error with what it is about."""
        days = {"as_of": "the day of the balances ", "history_start": "the first day ", "": ""}
        own = tuple(f"{days[name]}{said}" for name, said in self.errors.items())
        return own + tuple(
            f"{line.currency or 'currency'} {said}" for line in self.lines for said in line.errors.values()
        )


def books_form_of(document: Mapping[str, Any], *, base_currency: str, as_of: str) -> BooksForm:
    """The plan as somebody would have typed it, with a few empty lines; `as_of` where it states no day."""
    held = [document.get(key, {}) for key in (*AMOUNTS.values(), "fx")]
    currencies = sorted(
        {code for each in held for code in each} | {base_currency}, key=lambda c: (c != base_currency, c)
    )
    lines = [
        BooksLine(
            place=place,
            currency=code,
            opening=_money(held[0].get(code)),
            history=_money(held[1].get(code)),
            rate=str(held[2].get(code, "")),
            errors={},
        )
        for place, code in enumerate(currencies)
    ]
    spare = range(len(lines), len(lines) + SPARE_LINES)
    lines += [BooksLine(place, "", "", "", "", {}) for place in spare]
    return BooksForm(
        as_of=document.get("as_of", as_of),
        history_start=document.get("history_start", ""),
        lines=tuple(lines),
        errors={},
    )


def read_books_form(
    given: Mapping[str, Any], *, document: Mapping[str, Any], problems: Sequence[PlanProblem] = ()
) -> tuple[BooksForm, dict[str, Any]]:
    """What was typed, and the plan that it makes of `document`. A line without a currency must be empty.

    Args:
        problems: what the plan found wrong; told beside the inputs.
    """
    amounts: dict[str, dict[str, str]] = {key: {} for key in (*AMOUNTS.values(), "fx")}
    found = {problem.path: problem.message for problem in reversed(problems)}
    lines: list[BooksLine] = []
    seen: set[str] = set()
    for place in range(MOST_LINES):
        typed = {name: _typed(given, f"{name}-{place}") for name in ("currency", *AMOUNTS, RATE)}
        if not any(typed.values()):
            continue
        code, errors = typed["currency"].upper(), {}
        if not code:
            errors["currency"] = "is missing"
        elif code in seen:
            errors["currency"] = "stands there twice"
        seen.add(code)
        for name, key in (*AMOUNTS.items(), (RATE, "fx")):
            if not typed[name]:
                continue
            try:
                value = plain_amount(typed[name]) if name != RATE else typed[name].replace(",", "")
            except ValueError as error:
                errors[name] = str(error)
                continue
            amounts[key][code] = value
            if message := found.pop(f"{key}.{code}", ""):
                errors[
                    name if message.startswith(("must be a rate", "must be an amount", "has more")) else "currency"
                ] = message
        lines.append(BooksLine(place=len(lines), **(typed | {"currency": code}), errors=errors))
    days = {name: _typed(given, name) for name in ("as_of", "history_start")}
    own = {name: found.pop(name) for name in days if name in found}
    if found:
        own[""] = "; ".join(f"{path}: {message}" for path, message in found.items())
    spare = [BooksLine(place, "", "", "", "", {}) for place in range(len(lines), len(lines) + SPARE_LINES)]
    form = BooksForm(**days, lines=(*lines, *spare), errors=own)
    changed = {name: value for name, value in document.items() if name not in (*days, *amounts)}
    changed |= {name: value for name, value in days.items() if value}
    changed |= {key: value for key, value in amounts.items() if value or key in document}
    return form, changed


def is_readable(form: BooksForm) -> bool:
    """Whether every line could be read, so that the plan may be asked."""
    return not any(line.errors for line in form.lines)


def _typed(given: Mapping[str, Any], name: str) -> str:
    return str(given.get(name, "")).strip()[:MOST_TYPED]


def _money(value: str | None) -> str:
    return "" if value is None else f"{Decimal(value):,f}"
