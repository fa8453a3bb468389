"""What is dated ahead, a lane each, as shapes that the server draws: places are per cent of the width.

An SVG without a view box keeps its text at its size on every screen, needs no script and no style of its own, and
prints as it is (ADR 0200).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from forecasting.drivers import cloud, contracts, deferred_revenue, payroll, payroll_tax, taxes
from forecasting.drivers.contribution import DatedEvent, Setting
from forecasting.fit.plan import CloudCredit, PlanDocument, PlannedTranche
from forecasting.views.plan_rows import Facts
from ledger.templatetags.amounts import MONTHS, day_date, days, money_text, odds

MONTHS_AHEAD = 13
OWN_LANES = 8  # of one kind; what is more shares one
LIKELY = (0.05, 0.95)


@dataclass(frozen=True, slots=True)
class Shape:
    """A piece of a lane: `dot`, `bar`, `range` (where it may come to lie) or `column` (of a height in per cent).

    Attributes:
        x, width: per cent of the track, as SVG attributes.
        tone: `in`, `out`, `credit`, `owed` or `doubt`.
        words: what it is, for the pointer and for who does not see it.
    """

    form: str
    tone: str
    x: str
    words: str
    width: str = ""
    y: str = ""
    height: str = ""


@dataclass(frozen=True, slots=True)
class Lane:
    """One line of the timeline. `anchor` leads to its row below; '' for what the ledger says."""

    title: str
    aside: str
    anchor: str
    shapes: tuple[Shape, ...]


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


@dataclass(frozen=True, slots=True)
class _View:
    """The days that are shown, `end` excluded."""

    start: date
    end: date

    def share(self, day: date) -> float:
        """Place of a day, kept within the view."""
        share = (day - self.start) / (self.end - self.start)
        return min(max(share, 0.0), 1.0)

    def at(self, day: date) -> str:
        return _per_cent(self.share(day))

    def wide(self, first: date, last: date) -> str:
        return _per_cent(max(self.share(last) - self.share(first), 0.004))

    def shows(self, day: date) -> bool:
        return self.start <= day < self.end


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
    view = _View(start=first, end=_months_later(first, MONTHS_AHEAD))
    ledger = _Ledger(setting, view, facts) if setting is not None else None
    groups = [
        LaneGroup("New money", _tranches(document, view, facts)),
        LaneGroup("Cloud credits", _credits(document, view, facts, ledger)),
        LaneGroup("People", (*_hires(document, view, facts), *(ledger.pay() if ledger else ()))),
        LaneGroup("Customers", (*_invoices(document, view, facts), *(ledger.customers() if ledger else ()))),
        LaneGroup("Bills and taxes", (*_bills(document, view, facts), *(ledger.taxes() if ledger else ()))),
        LaneGroup("Paid ahead by customers", ledger.deferred() if ledger else ()),
    ]
    return Timeline(
        months=tuple(_months(view)),
        today=view.at(facts.today),
        runout=_runout(runout, view, facts) if runout is not None else None,
        groups=tuple(group for group in groups if group.lanes),
    )


def likely_days(tranche: PlannedTranche) -> tuple[date, date]:
    """The days between which nine of ten such tranches come, if they come: planned day and Gamma delay."""
    from scipy.special import gammaincinv  # not at the top: only a plan with tranches need wait for it

    mean, sd = tranche.delay.mean_days, tranche.delay.sd_days
    late = gammaincinv((mean / sd) ** 2, LIKELY) * sd**2 / mean
    soon, last = (tranche.date + timedelta(days=min(float(each), 36_500.0)) for each in late)
    return soon, last


class _Ledger:
    """What the company's books expect to happen on known days."""

    def __init__(self, setting: Setting, view: _View, facts: Facts) -> None:
        self._setting, self._view, self._facts = setting, view, facts

    def pay(self) -> tuple[Lane, ...]:
        events = [each for each in payroll.next_events(self._setting) if each.kind == "payroll"]
        return self._lanes("Payroll", events, by_label=True)

    def taxes(self) -> tuple[Lane, ...]:
        withheld = [each for each in payroll.next_events(self._setting) if each.kind == "tax"]
        withheld += payroll_tax.next_events(self._setting)
        return (
            *self._lanes("Payroll tax", withheld),
            *self._lanes("Company taxes", taxes.next_events(self._setting)),
        )

    def customers(self) -> tuple[Lane, ...]:
        return self._lanes("Contracts up for renewal", contracts.next_events(self._setting))

    def credit_ends(self) -> dict[str, date]:
        """Day on which a provider's credit is used up before it expires."""
        used = [mark for mark in cloud.marks(self._setting) if mark.label.endswith("used up")]
        return {mark.label.removesuffix(" credit used up"): self._day(mark.day) for mark in used}

    def deferred(self) -> tuple[Lane, ...]:
        """What is earned of it month by month: the release that the free basis counts."""
        free = Setting(self._setting.history, self._setting.company, "free", self._setting.horizon_days)
        told = deferred_revenue.contribute(free)
        if told.fixed is None:
            return ()
        currency = self._facts.base_currency
        sums: dict[date, float] = {}
        for day, earned in enumerate(told.fixed.tolist(), start=1):
            month = self._day(day).replace(day=1)
            sums[month] = sums.get(month, 0.0) + earned
        most = max(sums.values())
        shapes = []
        for month, earned in sums.items():
            if earned <= 0 or not self._view.shows(month):
                continue
            after = _months_later(month, 1)
            words = f"{MONTHS[month.month - 1]} {month.year}: {money_text(earned, currency)} is earned"
            shapes.append(
                Shape(
                    "column",
                    "owed",
                    self._view.at(month),
                    words,
                    width=self._view.wide(month, after - timedelta(days=3)),
                    y=_per_cent(1 - earned / most),
                    height=_per_cent(earned / most),
                )
            )
        return (
            Lane(
                "Earned month by month", f"{money_text(-told.opening, currency)} not earned yet", "", tuple(shapes)
            ),
        )

    def _lanes(self, title: str, events: Iterable[DatedEvent], *, by_label: bool = False) -> tuple[Lane, ...]:
        """One lane, or one for each label."""
        kinds: dict[str, list[DatedEvent]] = {}
        for each in events:
            kinds.setdefault(each.label if by_label else title, []).append(each)
        return tuple(self._lane(name, found) for name, found in list(kinds.items())[:OWN_LANES])

    def _lane(self, title: str, events: Sequence[DatedEvent]) -> Lane:
        ahead = sorted(events, key=lambda each: each.day)
        following = ahead[0]
        aside = f"next {day_date(self._day(following.day), self._facts.today)}, {self._money(following)}"
        shapes = tuple(
            Shape("dot", "in" if each.amount > 0 else "out", self._view.at(day), self._words(each))
            for each in ahead
            if self._view.shows(day := self._day(each.day))
        )
        return Lane(title, aside, "", shapes)

    def _words(self, each: DatedEvent) -> str:
        likely = f", {odds(each.probability)} likely" if each.probability < 1 else ""
        return f"{each.label}, {day_date(self._day(each.day), self._facts.today)}: {self._money(each)}{likely}"

    def _money(self, each: DatedEvent) -> str:
        return money_text(each.amount, self._facts.base_currency, signed=True)

    def _day(self, ahead: int) -> date:
        return self._setting.history.as_of + timedelta(days=ahead)


def _tranches(document: PlanDocument, view: _View, facts: Facts) -> tuple[Lane, ...]:
    lanes = []
    for place, each in enumerate(document.tranches):
        if f"tranches-{place}" in facts.came:
            continue
        soon, last = likely_days(each)
        expected = each.date + timedelta(days=round(each.delay.mean_days))
        money = money_text(each.amount, facts.base_currency)
        likely = f"{day_date(soon, facts.today)} and {day_date(last, facts.today)}"
        between = f"if it comes, nine times in ten between {likely}"
        shapes = []
        if last >= view.start and soon < view.end:
            shapes.append(Shape("range", "in", view.at(soon), between, width=view.wide(soon, last)))
        if view.shows(expected):
            words = f"{money}, expected about {day_date(expected, facts.today)}"
            shapes.append(Shape("dot", "in", view.at(expected), words))
        title = each.milestone or "Tranche"
        lanes.append(
            (
                each.date,
                Lane(title, f"{money}, {odds(each.probability)} likely", f"tranches-{place}", tuple(shapes)),
            )
        )
    return _few(lanes, "more tranches")


def _credits(document: PlanDocument, view: _View, facts: Facts, ledger: _Ledger | None) -> tuple[Lane, ...]:
    ends = ledger.credit_ends() if ledger else {}
    lanes = []
    for place, each in enumerate(document.cloud_credits):
        used_up = ends.get(each.provider) if _is_first(each, document) else None
        stop = min(used_up, each.expires) if used_up else each.expires
        left = facts.left.get((each.provider, each.expires), each.remaining)
        words = f"{money_text(left, facts.base_currency)} left, "
        words += (
            f"used up about {day_date(used_up, facts.today)}"
            if used_up and used_up < each.expires
            else f"expires on {day_date(each.expires, facts.today)}"
        )
        shapes = []
        if stop > facts.today:
            shapes.append(Shape("bar", "credit", view.at(facts.today), words, width=view.wide(facts.today, stop)))
        if stop < each.expires and each.expires > facts.today:
            unused = f"would expire on {day_date(each.expires, facts.today)}"
            shapes.append(Shape("range", "credit", view.at(stop), unused, width=view.wide(stop, each.expires)))
        lanes.append((each.expires, Lane(each.provider, words, f"cloud_credits-{place}", tuple(shapes))))
    return _few(lanes, "more credits")


def _is_first(credit: CloudCredit, document: PlanDocument) -> bool:
    """Whether it is the provider's first to expire, which usage draws on first."""
    return credit.expires == min(
        each.expires for each in document.cloud_credits if each.provider == credit.provider
    )


def _hires(document: PlanDocument, view: _View, facts: Facts) -> tuple[Lane, ...]:
    lanes = []
    for place, each in enumerate(document.planned_hires):
        money = money_text(each.monthly_gross, each.currency)
        words = f"from {day_date(each.start, facts.today)}, {money} gross a month"
        shapes = []
        if each.start < view.end:
            form = "bar" if each.confirmed else "range"
            shapes.append(Shape(form, "out", view.at(each.start), words, width=view.wide(each.start, view.end)))
        aside = f"{money} a month, {'signed' if each.confirmed else 'not signed yet'}"
        lanes.append((each.start, Lane("New hire", aside, f"planned_hires-{place}", tuple(shapes))))
    return _few(lanes, "more hires")


def _invoices(document: PlanDocument, view: _View, facts: Facts) -> tuple[Lane, ...]:
    waiting = [
        each
        for place, each in enumerate(document.open_receivables)
        if f"open_receivables-{place}" not in facts.came
    ]
    if not waiting:
        return ()
    total = sum(each.amount for each in waiting)
    shapes = []
    for each in waiting:
        late = (facts.today - each.due).days
        when = f"due for {days(late)}" if late > 0 else f"due {day_date(each.due, facts.today)}"
        words = f"{each.customer}, {money_text(each.amount, facts.base_currency)}, {when}"
        # What is overdue still comes, so it stands where one waits for it.
        day = max(each.due, facts.today)
        if view.shows(day):
            shapes.append(Shape("dot", "doubt" if late > 0 else "in", view.at(day), words))
    aside = f"{money_text(total, facts.base_currency)} in {len(waiting)}"
    return (Lane("Open invoices", aside, "open_receivables", tuple(shapes)),)


def _bills(document: PlanDocument, view: _View, facts: Facts) -> tuple[Lane, ...]:
    if not document.annual_renewals:
        return ()
    shapes = []
    for each in document.annual_renewals:
        day = each.date
        while day < facts.today:
            day += timedelta(days=365)
        while view.shows(day):
            words = f"{each.vendor}, {day_date(day, facts.today)}: {money_text(each.amount, facts.base_currency)}"
            shapes.append(Shape("dot", "out", view.at(day), words))
            day += timedelta(days=365)
    total = sum(each.amount for each in document.annual_renewals)
    aside = f"{money_text(total, facts.base_currency)} a year in {len(document.annual_renewals)}"
    return (Lane("Yearly bills", aside, "annual_renewals", tuple(shapes)),)


def _few(lanes: list[tuple[date, Lane]], more: str) -> tuple[Lane, ...]:
    """By date; what is beyond a screenful shares the last lane."""
    ordered = [lane for _, lane in sorted(lanes, key=lambda each: each[0])]
    if len(ordered) <= OWN_LANES:
        return tuple(ordered)
    rest = ordered[OWN_LANES - 1 :]
    shared = tuple(shape for lane in rest for shape in lane.shapes if shape.form != "range")
    first = rest[0].anchor.rpartition("-")[0]
    return (*ordered[: OWN_LANES - 1], Lane(f"{len(rest)} {more}", "", first, shared))


def _runout(ends: tuple[date | None, date | None, date | None], view: _View, facts: Facts) -> Runout | None:
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


def _months(view: _View) -> Iterable[MonthMark]:
    month = view.start
    while month < view.end:
        is_year = month.month == 1
        label = str(month.year) if is_year else MONTHS[month.month - 1]
        yield MonthMark(view.at(month), label, is_year, is_second=month.month % 2 == 0)
        month = _months_later(month, 1)


def _months_later(first_of_month: date, count: int) -> date:
    year, month = divmod(first_of_month.year * 12 + first_of_month.month - 1 + count, 12)
    return date(year, month + 1, 1)


def _per_cent(share: float) -> str:
    return f"{np.round(100 * share, 3):g}%"
