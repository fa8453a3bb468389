"""What the balance really was, once the ledger has settled."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
from django.db.models.fields.json import KT
from numpy.typing import NDArray

from forecasting.closing_balances import bank_balances, free_balances
from forecasting.fit.history import CompanyHistory
from forecasting.fit.read_rows import read_cash_rows
from forecasting.fit.role import Role
from forecasting.models.run import Basis, ForecastRun
from forecasting.outcome import money
from forecasting.selectors.forecasts import DayBalance
from forecasting.services.history import gather_history
from ledger.domain.company import CompanyRef
from ledger.domain.flows import day_number
from ledger.domain.fx import UnknownRate
from ledger.selectors.balances import cash_by_currency
from ledger.selectors.fx import rate

# Feeds tell of a day a day or two late. A score is kept once and for all, so it waits for them.
SETTLE_DAYS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Actuals:
    """Closing balances of a company up to a day, as they are known now.

    Attributes:
        history: the company as of now.
        known_to: the last day that counts as settled.
        first_day: of the two arrays.
        bank: float64 [days], rolled back from the last balance at the rates of today; tells when cash ran out.
        unearned: float64 [days], what customers had paid for and not received.
        funding: float64 [days], new money received up to and including each day, from the first on.
    """

    company: CompanyRef
    history: CompanyHistory
    known_to: date
    first_day: date
    bank: NDArray[np.float64]
    unearned: NDArray[np.float64]
    funding: NDArray[np.float64]
    _on: dict[tuple[date, str], float] = field(default_factory=dict)

    def closing(self, day: date, *, basis: str) -> float:
        """The closing balance of a settled day in base currency, at the rates of that day.

        Bank cash is what statements and events of the day say. Free cash is what the forecast of that very day
        started from, where one was published; else bank cash less what was unearned.
        """
        key = (day, basis)
        if key not in self._on:
            self._on[key] = self._bank(day) if basis == Basis.BANK else self._free(day)
        return self._on[key]

    def new_money(self, *, after: date, until: date) -> float:
        """Funding received after one day and up to another, in base currency at the rates of today."""
        if not self.funding.size:
            return 0.0
        last = self.funding.size - 1
        n, m = ((day - self.first_day).days for day in (after, until))
        return float(self.funding[min(max(m, 0), last)] - self.funding[min(max(n, 0), last)])

    def first_zero_after(self, as_of: date, *, basis: str, with_new_money: bool = True) -> date | None:
        """The first settled day after `as_of` that closed at or below zero; None when none did.

        Args:
            with_new_money: False tells of the day on which cash would have run out without funding since.
        """
        # Before the first day nothing moved: cash that ran out later ran out after `as_of` all the same.
        first = max((as_of - self.first_day).days + 1, 0)
        last = (self.known_to - self.first_day).days
        if first > last:
            return None
        balances = self.bank if basis == Basis.BANK else self.bank - self.unearned
        since = balances[first : last + 1]
        if not with_new_money:
            since = since - (self.funding[first : last + 1] - self.funding[first - 1 if first else 0])
        spent = np.flatnonzero(since <= 0.0)
        return self.first_day + timedelta(days=first + int(spent[0])) if spent.size else None

    def last_zero(self, *, basis: str) -> date:
        """The last settled day that closed at or below zero; the beginning of time when none did."""
        balances = self.bank if basis == Basis.BANK else self.bank - self.unearned
        spent = np.flatnonzero(balances[: (self.known_to - self.first_day).days + 1] <= 0.0)
        return self.first_day + timedelta(days=int(spent[-1])) if spent.size else date.min

    def _bank(self, day: date) -> float:
        cash = cash_by_currency(company_id=self.company.id, at=day)
        return sum(float(amount) * self._rate(currency, day) for currency, amount in cash.items() if amount)

    def _free(self, day: date) -> float:
        of_the_day = (
            ForecastRun.objects.filter(company_id=self.company.id, basis=Basis.FREE, as_of=day)
            .order_by("-id")
            .values_list(KT("result__balance"), flat=True)
            .first()
        )
        if of_the_day is not None:
            return float(of_the_day)
        n = (day - self.first_day).days
        return self.closing(day, basis=Basis.BANK) - (
            float(self.unearned[n]) if 0 <= n < self.unearned.size else 0.0
        )

    def _rate(self, currency: str, day: date) -> float:
        try:
            return float(rate(currency=currency, base=self.company.base_currency, on=day).rate)
        except UnknownRate:
            # The plan's own rate, without which there would be no forecast either.
            return float(self.history.rates.get(currency, 0))


def read_actuals(*, company: CompanyRef, now: datetime, since: date) -> Actuals:
    """Read what is known now.

    Args:
        since: the first day that will be asked about.

    Raises:
        MissingInputs: as `gather_history`.
    """
    history = gather_history(company=company, now=now, since=since - timedelta(days=1)).history
    bank = bank_balances(history, days=max((history.as_of - since).days, 1))
    ours = free_balances(history, bank=bank, opening=Decimal(repr(float(bank.balances[-1]))))
    return Actuals(
        company=company,
        history=history,
        known_to=history.as_of - timedelta(days=SETTLE_DAYS),
        first_day=bank.first_day,
        bank=bank.balances,
        unearned=bank.balances - ours.balances,
        funding=_funding(history, first_day=bank.first_day, days=bank.balances.size),
    )


def _funding(history: CompanyHistory, *, first_day: date, days: int) -> NDArray[np.float64]:
    rows = read_cash_rows(history).of(Role.FUNDING)
    place = rows.day - day_number(first_day)
    chosen = (place >= 0) & (place < days)
    return np.cumsum(np.bincount(place[chosen], weights=rows.amount[chosen], minlength=days))


def read_since(*, company: CompanyRef, as_of: date, basis: str, now: datetime) -> tuple[DayBalance, ...]:
    """Return the closing balance of every day after `as_of` up to the last that is known, settled or not.

    Raises:
        MissingInputs: as `gather_history`.
    """
    actuals = read_actuals(company=company, now=now, since=as_of)
    balances = actuals.bank if basis == Basis.BANK else actuals.bank - actuals.unearned
    first = (as_of - actuals.first_day).days + 1
    return tuple(
        DayBalance(day=actuals.first_day + timedelta(days=n), balance=money(float(balances[n])))
        for n in range(max(first, 0), balances.size)
    )


def settled(days: Iterable[int], *, as_of: date, known_to: date) -> tuple[int, ...]:
    """Those of the days ahead of `as_of` that are settled."""
    return tuple(ahead for ahead in days if as_of + timedelta(days=ahead) <= known_to)
