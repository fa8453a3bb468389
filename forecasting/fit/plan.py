"""The plan: what a finance person knows that no ledger shows yet (`plan.json`)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

AMOUNT_LIMIT = Decimal("1e14")  # as in the ledger: at most 14 integer digits
DECIMALS_LIMIT = 6
TEXT_LIMIT = 255
ROWS_LIMIT = 1000
FX_ROWS_LIMIT = 20_000
DELAY_DAYS_LIMIT = 730.0
FIRST_YEAR, LAST_YEAR = 1999, 2100  # no ledger of ours is older than the euro

_CURRENCY = re.compile(r"[A-Z]{3}")
_AMOUNT = re.compile(r"-?\d+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class PlanProblem:
    """One thing wrong with a plan: where (`tranches[0].delay.sd_days`) and what."""

    path: str
    message: str


class InvalidPlan(ValueError):
    """The plan was refused; `problems` lists everything wrong with it at once."""

    def __init__(self, problems: tuple[PlanProblem, ...]) -> None:
        super().__init__("; ".join(f"{problem.path}: {problem.message}" for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Delay:
    """How late money comes: Gamma with this mean and standard deviation."""

    mean_days: float
    sd_days: float


@dataclass(frozen=True, slots=True)
class PlannedTranche:
    """Funding that depends on a milestone; never certain, never punctual."""

    date: date
    amount: Decimal
    probability: float
    delay: Delay
    milestone: str = ""


@dataclass(frozen=True, slots=True)
class CloudCredit:
    """A cloud vendor's credit: what is left of it, and its last day."""

    provider: str
    remaining: Decimal
    expires: date


@dataclass(frozen=True, slots=True)
class PlannedHire:
    """Somebody who will be on the payroll; `confirmed` when the contract is signed."""

    start: date
    monthly_gross: Decimal
    currency: str
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class AnnualRenewal:
    """A yearly bill that will come again."""

    vendor: str
    date: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class OpenReceivable:
    """An invoice a customer owes us."""

    customer: str
    amount: Decimal
    due: date


@dataclass(frozen=True, slots=True)
class PlanDocument:
    """plan.json, checked. Every key is optional: an empty plan is a plan."""

    company: str = ""
    base_currency: str = ""
    as_of: date | None = None
    history_start: date | None = None
    opening_balance: dict[str, Decimal] = field(default_factory=dict)
    history_opening_balance: dict[str, Decimal] = field(default_factory=dict)
    fx: dict[str, Decimal] = field(default_factory=dict)
    fx_history: tuple[tuple[date, float, float], ...] = ()
    tranches: tuple[PlannedTranche, ...] = ()
    cloud_credits: tuple[CloudCredit, ...] = ()
    planned_hires: tuple[PlannedHire, ...] = ()
    annual_renewals: tuple[AnnualRenewal, ...] = ()
    open_receivables: tuple[OpenReceivable, ...] = ()


def parse_plan(raw: object) -> PlanDocument:
    """Read a plan from decoded JSON.

    Raises:
        InvalidPlan: with every problem and its JSON path; unknown keys are problems too.
    """
    reader = _Reader()
    fields = reader.record("$", raw, _DOCUMENT, required=())
    as_of, start = fields.get("as_of"), fields.get("history_start")
    if as_of is not None and start is not None and start > as_of:
        reader.problem("$.history_start", f"is after as_of ({as_of})")
    if reader.problems:
        raise InvalidPlan(tuple(reader.problems))
    return PlanDocument(**fields)


class _Reader:
    """Walks the document and collects problems instead of stopping at the first."""

    def __init__(self) -> None:
        self.problems: list[PlanProblem] = []

    def problem(self, path: str, message: str) -> None:
        self.problems.append(PlanProblem(path=path.removeprefix("$.") or "$", message=message))

    def record(
        self, path: str, raw: object, keys: "Mapping[str, _Rule]", *, required: tuple[str, ...]
    ) -> dict[str, Any]:
        """The known keys of an object, each read by its rule; a key with a problem is left out."""
        if not isinstance(raw, Mapping):
            self.problem(path, f"must be an object, not {_kind(raw)}")
            return {}
        for key in raw:
            if key not in keys:
                self.problem(f"{path}.{key}", f"is not a key of the plan here; known: {', '.join(keys)}")
        for key in required:
            if key not in raw:
                self.problem(f"{path}.{key}", "is missing")
        found = {}
        for key, rule in keys.items():
            if key in raw:
                value = rule(self, f"{path}.{key}", raw[key])
                if value is not None:
                    found[key] = value
        return found

    def rows(
        self,
        path: str,
        raw: object,
        keys: "Mapping[str, _Rule]",
        build: Callable[..., Any],
        *,
        required: tuple[str, ...],
    ) -> tuple[Any, ...]:
        """A list of objects; a row with a problem is left out, its problem is kept."""
        rows = []
        for index, item in enumerate(self.items(path, raw, limit=ROWS_LIMIT)):
            before = len(self.problems)
            fields = self.record(f"{path}[{index}]", item, keys, required=required)
            if len(self.problems) == before:
                rows.append(build(**fields))
        return tuple(rows)

    def items(self, path: str, raw: object, *, limit: int) -> list[Any]:
        if not isinstance(raw, list):
            self.problem(path, f"must be a list, not {_kind(raw)}")
            return []
        if len(raw) > limit:
            self.problem(path, f"has {len(raw)} rows; at most {limit} are read")
            return []
        return raw


_Rule = Callable[[_Reader, str, object], Any]


def _text(reader: _Reader, path: str, raw: object) -> str | None:
    if not isinstance(raw, str) or len(raw) > TEXT_LIMIT or "\x00" in raw:
        reader.problem(path, f"must be text of at most {TEXT_LIMIT} characters")
        return None
    return raw


def _currency(reader: _Reader, path: str, raw: object) -> str | None:
    if not isinstance(raw, str) or not _CURRENCY.fullmatch(raw):
        reader.problem(path, "must be a currency code of three capital letters, e.g. USD")
        return None
    return raw


def _day(reader: _Reader, path: str, raw: object) -> date | None:
    if isinstance(raw, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", raw):
        try:
            day = date.fromisoformat(raw)
        except ValueError:
            pass
        else:
            if FIRST_YEAR <= day.year <= LAST_YEAR:
                return day
            reader.problem(path, f"must lie between {FIRST_YEAR} and {LAST_YEAR}")
            return None
    reader.problem(path, "must be a date as YYYY-MM-DD")
    return None


def _signed_amount(reader: _Reader, path: str, raw: object) -> Decimal | None:
    if not isinstance(raw, str) or not _AMOUNT.fullmatch(raw):
        reader.problem(path, 'must be an amount as text, e.g. "1500.00"')
        return None
    amount = Decimal(raw)
    if abs(amount) >= AMOUNT_LIMIT or _decimals(amount) > DECIMALS_LIMIT:
        reader.problem(path, f"has more than 14 digits before or {DECIMALS_LIMIT} after the point")
        return None
    return amount


def _amount(reader: _Reader, path: str, raw: object) -> Decimal | None:
    amount = _signed_amount(reader, path, raw)
    if amount is not None and amount <= 0:
        reader.problem(path, "must be above zero")
        return None
    return amount


def _amount_left(reader: _Reader, path: str, raw: object) -> Decimal | None:
    amount = _signed_amount(reader, path, raw)
    if amount is not None and amount < 0:
        reader.problem(path, "must not be negative")
        return None
    return amount


def _rate(reader: _Reader, path: str, raw: object) -> Decimal | None:
    if isinstance(raw, (str, int, float, Decimal)) and not isinstance(raw, bool):
        try:
            rate = Decimal(str(raw))
        except InvalidOperation:
            rate = Decimal(0)
        if rate.is_finite() and Decimal("1e-9") < rate < Decimal("1e9"):
            return rate
    reader.problem(path, "must be a rate above zero, base currency per unit")
    return None


def _number(reader: _Reader, path: str, raw: object) -> float | None:
    if isinstance(raw, bool) or not isinstance(raw, (int, float, Decimal)) or raw != raw:
        reader.problem(path, f"must be a number, not {_kind(raw)}")
        return None
    return float(raw)


def _probability(reader: _Reader, path: str, raw: object) -> float | None:
    number = _number(reader, path, raw)
    if number is not None and not 0.0 < number < 1.0:
        reader.problem(path, "must lie between 0 and 1, both excluded: no tranche is certain, none is impossible")
        return None
    return number


def _days(reader: _Reader, path: str, raw: object) -> float | None:
    number = _number(reader, path, raw)
    if number is not None and not 0.0 < number <= DELAY_DAYS_LIMIT:
        reader.problem(path, f"must be above 0 and at most {DELAY_DAYS_LIMIT:.0f} days")
        return None
    return number


def _flag(reader: _Reader, path: str, raw: object) -> bool | None:
    if not isinstance(raw, bool):
        reader.problem(path, f"must be true or false, not {_kind(raw)}")
        return None
    return raw


def _gamma(reader: _Reader, path: str, raw: object) -> str | None:
    if raw != "gamma":
        reader.problem(path, 'must be "gamma", the only known distribution of a delay')
    return None  # the only distribution there is, so nothing to keep


def _delay(reader: _Reader, path: str, raw: object) -> Delay | None:
    before = len(reader.problems)
    required = ("dist", "mean_days", "sd_days")
    fields = reader.record(path, raw, {"dist": _gamma, "mean_days": _days, "sd_days": _days}, required=required)
    return Delay(**fields) if len(reader.problems) == before else None


def _by_currency(rule: _Rule) -> _Rule:
    def read(reader: _Reader, path: str, raw: object) -> dict[str, Decimal]:
        if not isinstance(raw, Mapping):
            reader.problem(path, f"must be an object of currency to number, not {_kind(raw)}")
            return {}
        found = {}
        for key, value in raw.items():
            code = _currency(reader, f"{path}.{key}", key)
            number = rule(reader, f"{path}.{key}", value)
            if code is not None and number is not None:
                found[code] = number
        return found

    return read


def _fx_rows(reader: _Reader, path: str, raw: object) -> tuple[tuple[date, float, float], ...]:
    rows = []
    for index, item in enumerate(reader.items(path, raw, limit=FX_ROWS_LIMIT)):
        where = f"{path}[{index}]"
        if not isinstance(item, list) or len(item) != 3:
            reader.problem(where, "must be a row of date, EUR rate, GBP rate")
            continue
        day = _day(reader, f"{where}[0]", item[0])
        eur, gbp = _rate(reader, f"{where}[1]", item[1]), _rate(reader, f"{where}[2]", item[2])
        if day is not None and eur is not None and gbp is not None:
            rows.append((day, float(eur), float(gbp)))
    return tuple(rows)


def _list_of(keys: Mapping[str, _Rule], build: Callable[..., Any], *, required: tuple[str, ...]) -> _Rule:
    def read(reader: _Reader, path: str, raw: object) -> tuple[Any, ...]:
        return reader.rows(path, raw, keys, build, required=required)

    return read


def _decimals(amount: Decimal) -> int:
    exponent = amount.as_tuple().exponent
    return -exponent if isinstance(exponent, int) and exponent < 0 else 0


def _kind(raw: object) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(raw), "a number" if isinstance(raw, (int, float, Decimal)) else type(raw).__name__)


_DOCUMENT: Mapping[str, _Rule] = {
    "company": _text,
    "base_currency": _currency,
    "as_of": _day,
    "history_start": _day,
    "opening_balance": _by_currency(_signed_amount),
    "history_opening_balance": _by_currency(_signed_amount),
    "fx": _by_currency(_rate),
    "fx_history": _fx_rows,
    "tranches": _list_of(
        {"date": _day, "amount": _amount, "probability": _probability, "delay": _delay, "milestone": _text},
        PlannedTranche,
        required=("date", "amount", "probability", "delay"),
    ),
    "cloud_credits": _list_of(
        {"provider": _text, "remaining": _amount_left, "expires": _day},
        CloudCredit,
        required=("provider", "remaining", "expires"),
    ),
    "planned_hires": _list_of(
        {"start": _day, "monthly_gross": _amount, "currency": _currency, "confirmed": _flag},
        PlannedHire,
        required=("start", "monthly_gross", "currency"),
    ),
    "annual_renewals": _list_of(
        {"vendor": _text, "date": _day, "amount": _amount}, AnnualRenewal, required=("vendor", "date", "amount")
    ),
    "open_receivables": _list_of(
        {"customer": _text, "amount": _amount, "due": _day},
        OpenReceivable,
        required=("customer", "amount", "due"),
    ),
}
