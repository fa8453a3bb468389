"""What stands beside a forecast, as the runway page shows it: what changed and why, what helps, what to doubt."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from ledger.templatetags.amounts import MINUS, days

SHOWN_CHECKS = 6
UNKNOWN = "–"
SEARCHED_LETTERS = 100
COMPARED = ("last_week", "yesterday", "first_forecast")
# The kind of change on the page of what-ifs that asks the same question with figures of one's own.
TRIED = {
    "cut_spending": "cost_cut",
    "cut_cloud": "cloud_step",
    "cut_payroll": "leave",
    "delay_hires": "hire",
    "raise_prices": "price_change",
}


@dataclass(frozen=True, slots=True)
class PayeeLine:
    """Who moved money, with the rows as a link."""

    name: str
    amount: Decimal
    url: str


@dataclass(frozen=True, slots=True)
class CauseLine:
    """Days that a cause added or took, as text: cautious (p5), middle (p50), average of all futures.

    Attributes:
        actual, expected: money in and out of a group of events; None where it is not about one sum.
    """

    label: str
    cautious: str
    middle: str
    average: str
    actual: Decimal | None = None
    expected: Decimal | None = None
    payees: tuple[PayeeLine, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangeLines:
    """Attributes:
    since: the day on which the earlier forecast was published.
    then, now, whole: (cautious, middle) as text; `whole` is the difference, which the causes sum to.
    """

    key: str
    since: date
    then: tuple[str, str]
    now: tuple[str, str]
    whole: tuple[str, str]
    causes: tuple[CauseLine, ...]
    events: tuple[CauseLine, ...]


@dataclass(frozen=True, slots=True)
class LeverLine:
    """Attributes:
    average: of all futures, each counted up to the horizon; it moves where quantiles wait for the next payroll.
    try_url: where such a change is tried with other figures; '' where there is no such kind.
    """

    label: str
    cautious: str
    middle: str
    average: str
    try_url: str


@dataclass(frozen=True, slots=True)
class DriverLine:
    """Attributes:
    effect: days of the cautious runway that the driver adds or takes; at least so many when it says so.
    """

    label: str
    per_day: Decimal
    effect: str


@dataclass(frozen=True, slots=True)
class DoubtLine:
    """`url` leads to the rows in doubt, or to the plan where no row is; `link` says which."""

    sentence: str
    advice: str
    since: date
    url: str
    link: str


@dataclass(frozen=True, slots=True)
class Explained:
    """Attributes:
    is_current: it belongs to the forecast that the page shows; else to an earlier one, and the next is on its way.
    """

    is_current: bool
    changes: tuple[ChangeLines, ...]
    levers: tuple[LeverLine, ...]
    drivers: tuple[DriverLine, ...]
    doubts: tuple[DoubtLine, ...]
    more_doubts: int


def explained(content: Mapping[str, Any], *, is_current: bool, company_slug: str) -> Explained:
    """Read a stored explanation.

    Args:
        company_slug: for links; '' where the page needs none.

    Raises:
        KeyError, ValueError: it is not what `forecasting.explain.explanation` writes.
    """
    changes = _different(content["changes"])
    doubts = content["checks"]
    return Explained(
        is_current=is_current,
        changes=tuple(_change(name, change, company_slug) for name, change in changes),
        levers=tuple(
            LeverLine(
                label=lever["label"],
                cautious=_gained(lever, "p5", other=lever["runway"]),
                middle=_gained(lever, "p50", other=lever["runway"]),
                average=signed(round(lever["mean_days"])),
                try_url=_try_url(lever["kind"], company=company_slug),
            )
            for lever in content["levers"]
        ),
        drivers=tuple(
            DriverLine(
                label=driver["label"],
                per_day=Decimal(driver["expected_per_day"]),
                effect=_gained(driver, "p5", other=driver.get("without")),
            )
            for driver in content["drivers"]
            if driver["p5_days"] or abs(Decimal(driver["expected_per_day"])) >= 1
        ),
        doubts=tuple(_doubt(doubt, company_slug) for doubt in doubts[:SHOWN_CHECKS]),
        more_doubts=max(0, len(doubts) - SHOWN_CHECKS),
    )


def signed(count: int) -> str:
    """`-12` -> `−12`, `12` -> `+12`, `0` -> `0`."""
    if not count:
        return "0"
    return f"{MINUS if count < 0 else '+'}{abs(count):,}"


def _different(changes: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Last week's first; a company that publishes seldom compares with the same forecast both times."""
    known = [(name, changes[name]) for name in COMPARED if changes.get(name) is not None]
    return [
        entry
        for n, entry in enumerate(known)
        if entry[1]["run_id"] not in {each["run_id"] for _, each in known[:n]}
    ]


def _doubt(doubt: Mapping[str, Any], company_slug: str) -> DoubtLine:
    rows = doubt["rows"]
    # A wide forecast without a payment to look at becomes narrower by what the plan says.
    is_plans = doubt["code"] == "wide_interval" and not rows["q"]
    return DoubtLine(
        sentence=doubt["sentence"],
        advice=doubt["advice"],
        since=date.fromisoformat(doubt["since"]),
        url=_url("plan", company=company_slug) if is_plans else _ledger_url(company=company_slug, **rows),
        link="plan" if is_plans else "rows",
    )


def _change(key: str, change: Mapping[str, Any], company_slug: str) -> ChangeLines:
    return ChangeLines(
        key=key,
        since=date.fromisoformat(change["published_day"]),
        then=_runway(change["then"]),
        now=_runway(change["now"]),
        whole=(signed(change["p5_days"]), signed(change["p50_days"])),
        causes=tuple(_cause(cause, company_slug) for cause in change["causes"]),
        events=tuple(
            _cause(cause, company_slug)
            for cause in change["events"]
            if cause["p5_days"]
            or cause["p50_days"]
            or cause["mean_days"]
            or abs(Decimal(cause.get("amount", "0"))) >= 1
        ),
    )


def _cause(cause: Mapping[str, Any], company_slug: str) -> CauseLine:
    amount = cause.get("amount")
    return CauseLine(
        label=cause["label"],
        cautious=signed(cause["p5_days"]),
        middle=signed(cause["p50_days"]),
        average=signed(round(cause["mean_days"])),
        actual=None if amount is None else Decimal(amount),
        expected=None if amount is None else Decimal(cause["expected"]),
        payees=tuple(
            PayeeLine(
                name=", ".join(filter(None, (payee["counterparty"], payee["category"]))) or "unnamed",
                amount=Decimal(payee["amount"]),
                # Without a month the page shows the latest one that has such rows.
                url=_ledger_url(company=company_slug, q=payee["counterparty"] or payee["category"]),
            )
            for payee in cause.get("payees", ())
        ),
    )


def _runway(case: Mapping[str, Any]) -> tuple[str, str]:
    cautious, middle = (
        f"over {days(case[f'{name}_days'])}" if case["beyond_horizon"][name] else days(case[f"{name}_days"])
        for name in ("p5", "p50")
    )
    return cautious, middle


def _gained(told: Mapping[str, Any], name: str, *, other: Mapping[str, Any] | None) -> str:
    """Days gained or lost. Beyond the horizon nobody knows how many more; where both lie there, nor whether any.

    Args:
        other: the runway that the forecast's own was compared with; None in explanations of before it was kept.
    """
    count = told[f"{name}_days"]
    if "is_least" not in told or other is None:
        return signed(count)
    if told["is_least"][name]:
        return f"{signed(count)} or more"
    return UNKNOWN if other["beyond_horizon"][name] else signed(count)


def _ledger_url(**query: str) -> str:
    # The page searches for part of a name, and refuses a longer one than anybody types.
    asked = {key: value[:SEARCHED_LETTERS].strip() for key, value in query.items() if value}
    return _url("ledger", **asked)


def _url(page: str, **query: str) -> str:
    asked = urlencode({key: value for key, value in query.items() if value})
    return f"{reverse(page)}?{asked}" if asked else reverse(page)


def _try_url(lever: str, *, company: str) -> str:
    if lever not in TRIED:
        return ""
    return _url("scenarios", company=company, add=TRIED[lever])
