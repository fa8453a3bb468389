"""The lanes of what a company's books expect: payroll, taxes, renewals, and what customers have paid ahead."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from forecasting.drivers import cloud, contracts, deferred_revenue, payroll, payroll_tax, tax_credits, taxes
from forecasting.drivers.contribution import DatedEvent, Setting
from forecasting.views.lane import OWN_LANES, Lane, Shape, View, months_later, per_cent
from forecasting.views.plan_rows import Facts
from ledger.templatetags.amounts import MONTHS, day_date, money_text, odds


class LedgerLanes:
    """What the company's books expect to happen on known days."""

    def __init__(self, setting: Setting, view: View, facts: Facts) -> None:
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
            *self._lanes("Tax credits", tax_credits.next_events(self._setting)),
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
            after = months_later(month, 1)
            words = f"{MONTHS[month.month - 1]} {month.year}: {money_text(earned, currency)} is earned"
            shapes.append(
                Shape(
                    "column",
                    "owed",
                    self._view.at(month),
                    words,
                    width=self._view.wide(month, after - timedelta(days=3)),
                    y=per_cent(1 - earned / most),
                    height=per_cent(earned / most),
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
