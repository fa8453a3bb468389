"""Gains on foreign money per month, for a page: computed anew from the daily sums, stored nowhere."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from ledger.domain.company import CompanyRef
from ledger.domain.month import months_after
from ledger.models.daily_flow import DailyFlow
from ledger.selectors.fx_gains import CurrencyPool, fx_gains

MONTHS_BACK = 12


@dataclass(frozen=True, slots=True)
class FxMonth:
    """Attributes:
    realised: in the days of the month that were looked at.
    unrealised: at the last of them.
    """

    month: date
    realised: Decimal
    unrealised: Decimal


@dataclass(frozen=True, slots=True)
class FxYear:
    """The last months up to a day, in base currency. No sum of flows holds any of it, nor does burn.

    Attributes:
        months: consecutive, the last one up to the day.
        pools: what foreign money there is at the end of the day.
        unpriced: currencies without a published rate on one of the days; on those they count at cost.
    """

    months: tuple[FxMonth, ...]
    pools: tuple[CurrencyPool, ...]
    unpriced: tuple[str, ...]

    @property
    def realised(self) -> Decimal:
        return sum((month.realised for month in self.months), Decimal(0))

    @property
    def unrealised(self) -> Decimal:
        return self.months[-1].unrealised


def fx_year(*, company: CompanyRef, day: date) -> FxYear:
    """Return the gains of the month of a day, up to it, and of up to MONTHS_BACK - 1 months before.

    Reads the daily sums: call `ledger.services.daily_flows.catch_up` first.
    """
    this_month = day.replace(day=1)
    begun = (
        DailyFlow.objects.filter(company_id=company.id, day__lte=day).order_by("day").values_list("day", flat=True)
    )
    # Before its first event a ledger knows of no money, so nothing of it can have gained.
    first = max(months_after(this_month, 1 - MONTHS_BACK), (begun.first() or day).replace(day=1))
    gains = fx_gains(
        company_id=company.id, base_currency=company.base_currency, start=first, end=day + timedelta(days=1)
    )
    realised: dict[date, Decimal] = defaultdict(Decimal)
    unrealised: dict[date, Decimal] = {}
    for each, gained, lies in zip(gains.days, gains.realised, gains.unrealised, strict=True):
        month = each.replace(day=1)
        realised[month] += gained
        unrealised[month] = lies
    return FxYear(
        months=tuple(FxMonth(month, realised[month], last) for month, last in unrealised.items()),
        pools=tuple(pool for pool in gains.pools if pool.amount or pool.cost),
        unpriced=gains.unpriced,
    )
