"""Scheduled vendors: subscriptions, rent and other bills that come back, and yearly renewals of the plan."""

import numpy as np
from numpy.typing import NDArray

from forecasting.drivers.contribution import Contribution, DatedEvent, Driver, Setting
from forecasting.fit.payroll import FX_MONTHLY_SD
from forecasting.fit.recurring import PERIOD_DAYS, Occurrences, Streams, expect
from forecasting.kernel.inputs import Factor
from ledger.domain.flows import day_number

Floats = NDArray[np.float64]

RENEWED = 0.93
YEAR_DAYS = 365
LVL, GROWTH, GROWTH_SD, WALK_SD = 0.01, 0.004, 0.004, 0.01
LARGE_BILL = 0.02  # of the month's bills: worth a line among the next events


def contribute(setting: Setting) -> Contribution:
    """A factor each for bills and for recurring income, and one more for what is paid in another currency."""
    streams = setting.company.streams
    found = _occurrences(setting, streams)
    base = setting.history.base_currency
    currency = setting.company.stream_currencies
    foreign = np.array([code != base for code in currency], dtype=bool)[found.stream]
    factors = []
    for name, chosen, walk in (
        ("vendors", (found.amount < 0) & ~foreign, WALK_SD),
        ("vendors abroad", (found.amount < 0) & foreign, float(np.hypot(WALK_SD, FX_MONTHLY_SD))),
        ("recurring income", (found.amount > 0) & ~foreign, WALK_SD),
        ("recurring income abroad", (found.amount > 0) & foreign, float(np.hypot(WALK_SD, FX_MONTHLY_SD))),
    ):
        daily = setting.per_day(found.day[chosen], found.amount[chosen])
        if name == "vendors":
            daily += _renewals_per_day(setting)
        if daily.any():
            factors.append(Factor(name=name, daily=daily, lvl=LVL, g=GROWTH, gsd=GROWTH_SD, rw=walk))
    variance = float(((streams.amount * streams.log_sd) ** 2 / PERIOD_DAYS[streams.cadence]).sum())
    return Contribution(factors=tuple(factors), shock_variance=variance)


def next_events(setting: Setting) -> tuple[DatedEvent, ...]:
    """The larger bills, and the plan's renewals."""
    found = _occurrences(setting, setting.company.streams)
    names = setting.company.stream_names
    amounts = setting.company.streams.amount
    large = LARGE_BILL * float(np.abs(amounts[amounts < 0]).sum()) if len(amounts) else 0.0
    events = [
        DatedEvent(setting.days_ahead(day), "bill" if amount < 0 else "income", names[stream], amount)
        for stream, day, amount in zip(
            found.stream.tolist(), found.day.tolist(), found.amount.tolist(), strict=True
        )
        if abs(amount) >= large
    ]
    for renewal in setting.history.plan.annual_renewals:
        ahead = setting.days_ahead(day_number(renewal.date))
        if 1 <= ahead <= setting.horizon_days:
            label = f"{renewal.vendor}, yearly renewal"
            events.append(DatedEvent(ahead, "renewal", label, -float(renewal.amount), RENEWED))
    return tuple(events)


def _occurrences(setting: Setting, streams: Streams) -> Occurrences:
    return expect(streams, days=setting.horizon_days, calendar=setting.company.calendar)


def _renewals_per_day(setting: Setting) -> Floats:
    """float64 [horizon]: renewals, each weighed with the chance that the vendor is kept until then."""
    days, amounts = [], []
    for renewal in setting.history.plan.annual_renewals:
        day, amount = day_number(renewal.date), -float(renewal.amount) * RENEWED
        while day <= setting.company.as_of_day + setting.horizon_days:
            days.append(day)
            amounts.append(amount)
            day, amount = day + YEAR_DAYS, amount * RENEWED
    return setting.per_day(np.array(days, dtype=np.int64), np.array(amounts, dtype=np.float64))


DRIVER = Driver(
    name="vendors", label="Subscriptions, rent and bills", contribute=contribute, next_events=next_events
)
