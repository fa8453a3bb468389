"""Scheduled vendors: subscriptions, rent and other bills that come back, and yearly renewals of the plan."""

import numpy as np
from numpy.typing import NDArray

from forecasting.drivers.contribution import Contribution, DatedEvent, Driver, Setting
from forecasting.fit.clients import LOSS_PER_MONTH
from forecasting.fit.payroll import FX_MONTHLY_SD
from forecasting.fit.recurring import PERIOD_DAYS, Occurrences, Streams, expect
from forecasting.fit.role import GRANT_WORDS, words_of
from forecasting.kernel.inputs import Factor
from ledger.domain.flows import day_number

Floats = NDArray[np.float64]

RENEWED = 0.93
YEAR_DAYS = 365
LVL, GROWTH, GROWTH_SD, WALK_SD = 0.01, 0.004, 0.004, 0.01
LOSS_OF_GRANTS = 0.1  # per month: most are paid in a handful of instalments
LARGE_BILL = 0.02  # of the month's bills: worth a line among the next events


def contribute(setting: Setting) -> Contribution:
    """A factor each for bills and for recurring income, and one more for what is paid in another currency."""
    streams = setting.company.streams
    found = _occurrences(setting, streams)
    base = setting.history.base_currency
    currency = setting.company.stream_currencies
    foreign = np.array([code != base for code in currency], dtype=bool)[found.stream]
    factors = []
    for name, chosen in (("vendors", ~foreign), ("vendors abroad", foreign)):
        bills = chosen & (found.amount < 0)
        daily = setting.per_day(found.day[bills], found.amount[bills])
        if name == "vendors":
            daily += _renewals_per_day(setting)
        walk = float(np.hypot(WALK_SD, FX_MONTHLY_SD)) if name == "vendors abroad" else WALK_SD
        if daily.any():
            factors.append(Factor(name=name, daily=daily, lvl=LVL, g=GROWTH, gsd=GROWTH_SD, rw=walk))
    for name, chosen in (("recurring income", ~foreign), ("recurring income abroad", foreign)):
        income = chosen & (found.amount > 0)
        if income.any():
            factors.append(_income(setting, found, income, name=name))
    variance = float(((streams.amount * streams.log_sd) ** 2 / PERIOD_DAYS[streams.cadence]).sum())
    return Contribution(factors=tuple(factors), shock_variance=variance)


def _income(setting: Setting, found: Occurrences, chosen: NDArray[np.bool_], *, name: str) -> Factor:
    """Who has paid so far may stop, and nobody comes in the place of that payer: with few of them that is a step
    of the sum, which its walk stands for as it does for clients (`fit/clients.py`)."""
    streams = setting.company.streams
    payers = np.unique(found.stream[chosen])
    rate = streams.amount[payers] / PERIOD_DAYS[streams.cadence[payers]]
    loss = np.array(
        [
            LOSS_OF_GRANTS if words_of(setting.company.stream_categories[payer]) & GRANT_WORDS else LOSS_PER_MONTH
            for payer in payers.tolist()
        ]
    )
    total = float(rate.sum())
    churn = float((loss * rate**2).sum()) / total**2  # variance of the log level, per month
    walk = float(np.sqrt(churn))
    return Factor(
        name=name,
        daily=setting.per_day(found.day[chosen], found.amount[chosen]),
        lvl=LVL,
        g=-float((loss * rate).sum()) / total - churn / 4,
        gsd=GROWTH_SD,
        rw=float(np.hypot(walk, FX_MONTHLY_SD)) if name.endswith("abroad") else walk,
    )


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
    """The payments ahead, without those for which an open invoice of the same payer stands already."""
    found = expect(streams, days=setting.horizon_days, calendar=setting.company.calendar)
    owed: dict[str, int] = {}
    for invoice in setting.company.contracts.receivables:
        owed[invoice.customer] = max(owed.get(invoice.customer, invoice.due_day), invoice.due_day)
    until = np.array([owed.get(name, 0) for name in setting.company.stream_names], dtype=np.float64)
    if not until.any():
        return found
    until += np.where(until > 0, PERIOD_DAYS[streams.cadence] / 2, 0.0)
    ahead = (found.amount < 0) | (found.day > until[found.stream])
    return Occurrences(stream=found.stream[ahead], day=found.day[ahead], amount=found.amount[ahead])


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
