"""What is dated ahead, a lane each, as shapes that the server draws: places are per cent of the width.

An SVG without a view box keeps its text at its size on every screen, needs no script and no style of its own, and
prints as it is (ADR 0200).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from forecasting.drivers.contribution import Setting
from forecasting.fit.plan import PlanDocument
from forecasting.views.lane import Lane, View, months_later
from forecasting.views.ledger_lanes import LedgerLanes
from forecasting.views.plan_rows import Facts
from forecasting.views.planned_lanes import bill_lanes, credit_lanes, hire_lanes, invoice_lanes, tranche_lanes
from ledger.templatetags.amounts import MONTHS, day_date

MONTHS_AHEAD = 13


@dataclass(frozen=True, slots=True)
class LaneGroup:
    title: str
    lanes: tuple[Lane, ...]


@dataclass(frozen=True, slots=True)
class MonthMark:
    """Where a month begins; January is told by its year. Every `is_second` one is left out on a phone."""

    x: str
    label: str
    is_year: bool
    is_second: bool


@dataclass(frozen=True, slots=True)
class Runout:
    """When cash runs out: the 90 % of all futures as a zone, the middle as a line; '' beyond the view."""

    x: str
    width: str
    middle: str
    words: str


@dataclass(frozen=True, slots=True)
class Timeline:
    months: tuple[MonthMark, ...]
    today: str
    runout: Runout | None
    groups: tuple[LaneGroup, ...]


def plan_timeline(
    document: PlanDocument,
    *,
    facts: Facts,
    setting: Setting | None,
    runout: tuple[date | None, date | None, date | None] | None,
) -> Timeline:
    """Arrange the plan, and what the ledger expects besides it.

    Args:
        setting: the company as fitted, None while there is no forecast.
        runout: p5, p50 and p95 as days; None for one beyond the horizon.
    """
    first = facts.today.replace(day=1)
    view = View(start=first, end=months_later(first, MONTHS_AHEAD))
    ledger = LedgerLanes(setting, view, facts) if setting is not None else None
    groups = [
        LaneGroup("New money", tranche_lanes(document, view, facts)),
        LaneGroup("Cloud credits", credit_lanes(document, view, facts, ledger)),
        LaneGroup("People", (*hire_lanes(document, view, facts), *(ledger.pay() if ledger else ()))),
        LaneGroup("Customers", (*invoice_lanes(document, view, facts), *(ledger.customers() if ledger else ()))),
        LaneGroup("Bills and taxes", (*bill_lanes(document, view, facts), *(ledger.taxes() if ledger else ()))),
        LaneGroup("Paid ahead by customers", ledger.deferred() if ledger else ()),
    ]
    return Timeline(
        months=tuple(_months(view)),
        today=view.at(facts.today),
        runout=_runout(runout, view, facts) if runout is not None else None,
        groups=tuple(group for group in groups if group.lanes),
    )


def _runout(ends: tuple[date | None, date | None, date | None], view: View, facts: Facts) -> Runout | None:
    first, middle, last = ends
    if first is None or first >= view.end:
        return None
    until = min(last or view.end, view.end)
    upper = f"{day_date(last, facts.today)}" if last else "beyond the year"
    return Runout(
        x=view.at(first),
        width=view.wide(first, until),
        middle=view.at(middle) if middle and middle < view.end else "",
        words=f"cash runs out, 90 % sure: {day_date(first, facts.today)} to {upper}",
    )


def _months(view: View) -> Iterable[MonthMark]:
    month = view.start
    while month < view.end:
        is_year = month.month == 1
        label = str(month.year) if is_year else MONTHS[month.month - 1]
        yield MonthMark(view.at(month), label, is_year, is_second=month.month % 2 == 0)
        month = months_later(month, 1)
