"""Payroll: runs on their days, yearly bonuses, planned hires, and the tax that each run brings."""

import numpy as np
from numpy.typing import NDArray

from forecasting.drivers.contribution import Contribution, DatedEvent, Driver, Setting
from forecasting.fit.bonuses import BONUS_NEAR_DAYS, YEAR_DAYS
from forecasting.fit.hires import LVL as HIRES_LVL
from forecasting.fit.payroll import FittedPayroll, run_days
from forecasting.fit.payroll_tax import FittedPayrollTax, remittances
from forecasting.fit.schedule import MONTH_END, PaySchedule
from forecasting.kernel.inputs import Factor

Days = NDArray[np.int64]
Floats = NDArray[np.float64]

MONTHLY = PaySchedule(step_days=0, anchor_day=0, days_of_month=(MONTH_END,), moved="before")
TAX_RATIO_WITHOUT_HISTORY = 0.5


def contribute(setting: Setting) -> Contribution:
    """One factor per payroll and one for hires; tax belongs to its run's factor, because it grows with it.

    On the free basis tax is spent on the day of the run: what is withheld from then on is not ours.
    """
    company = setting.company
    factors = []
    for n, (payroll, taxes) in enumerate(zip(company.payrolls, company.taxes_of, strict=True)):
        day, net = _runs(payroll, setting)
        daily = setting.per_day(day, -net) - _tax_per_day(setting, payroll, taxes, day, net)
        factors.append(
            Factor(
                name=f"payroll {payroll.currency} {n}",
                daily=daily,
                lvl=payroll.lvl,
                g=payroll.g,
                gsd=payroll.gsd,
                rw=payroll.rw,
            )
        )
    hired = _hires_per_day(setting)
    if hired.any():
        factors.append(Factor(name="hires", daily=hired, lvl=HIRES_LVL))
    return Contribution(factors=tuple(factors))


def next_events(setting: Setting) -> tuple[DatedEvent, ...]:
    """Runs and the remittances of their tax."""
    events = []
    for payroll, taxes in zip(setting.company.payrolls, setting.company.taxes_of, strict=True):
        day, net = _runs(payroll, setting)
        events += [
            DatedEvent(setting.days_ahead(d), "payroll", f"Payroll {payroll.name}", -a)
            for d, a in zip(day.tolist(), net.tolist(), strict=True)
        ]
        for tax in taxes:
            paid, due = remittances(tax=tax, run_day=day, run_amount=net, calendar=payroll.calendar)
            events += [
                DatedEvent(setting.days_ahead(d), "tax", tax.label, -a)
                for d, a in zip(paid.tolist(), due.tolist(), strict=True)
                if 1 <= setting.days_ahead(d) <= setting.horizon_days
            ]
    return tuple(events)


def _runs(payroll: FittedPayroll, setting: Setting) -> tuple[Days, Floats]:
    """Days and net amounts (positive) of the runs ahead, each with the bonus that is expected in it."""
    day = run_days(payroll, as_of_day=setting.company.as_of_day, days=setting.horizon_days)
    net = np.full(len(day), payroll.level)
    for bonus in payroll.bonuses:
        for years in range(1, setting.horizon_days // YEAR_DAYS + 2):
            distance = np.abs(day - bonus.day - YEAR_DAYS * years)
            if len(day) and int(distance.min()) <= BONUS_NEAR_DAYS:
                net[int(np.argmin(distance))] += payroll.level * bonus.share * bonus.chance
    return day, net


def _tax_per_day(
    setting: Setting, payroll: FittedPayroll, taxes: tuple[FittedPayrollTax, ...], day: Days, net: Floats
) -> Floats:
    daily = np.zeros(setting.horizon_days)
    for tax in taxes:
        paid, due = remittances(tax=tax, run_day=day, run_amount=net, calendar=payroll.calendar)
        daily += setting.per_day(day if setting.is_free else paid, due)
    return daily


def _hires_per_day(setting: Setting) -> Floats:
    """float64 [horizon], negative: net pay on the runs of the hire's currency from the start on, and its tax."""
    company, daily = setting.company, np.zeros(setting.horizon_days)
    until = company.as_of_day + setting.horizon_days
    for hire in company.hires:
        payroll, taxes = _payroll_in(setting, hire.currency)
        schedule = payroll.schedule if payroll is not None else MONTHLY
        calendar = payroll.calendar if payroll is not None else company.calendar
        day = schedule.days_after(day=max(company.as_of_day, hire.start_day - 1), until=until, calendar=calendar)
        net = np.full(len(day), hire.net_per_month / schedule.runs_per_month)
        daily -= setting.per_day(day, net)
        if payroll is not None and taxes:
            daily -= _tax_per_day(setting, payroll, taxes, day, net)
        else:
            daily -= setting.per_day(day, net * TAX_RATIO_WITHOUT_HISTORY)
    return daily


def _payroll_in(setting: Setting, currency: str) -> tuple[FittedPayroll | None, tuple[FittedPayrollTax, ...]]:
    for payroll, taxes in zip(setting.company.payrolls, setting.company.taxes_of, strict=True):
        if payroll.currency == currency:
            return payroll, taxes
    return None, ()


DRIVER = Driver(name="payroll", label="Payroll and its taxes", contribute=contribute, next_events=next_events)
