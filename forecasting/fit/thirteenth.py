"""Pay that a country's law or custom adds to twelve months' wages, for books that have not seen its month yet.

Brazil: decimo terceiro in two halves (Lei 4.090/1962). Italy: tredicesima. Spain: pagas extraordinarias, which
many pay by the month instead (Estatuto de los Trabajadores, art. 31). Portugal: subsidios de ferias and de Natal.
Mexico: aguinaldo of half a month (Ley Federal del Trabajo, art. 87). Argentina: two halves (Ley 23.041). Greece:
Christmas bonus. Philippines: P.D. 851. Netherlands: vakantiegeld, 8 % of a year's pay (Wet minimumloon, art.
15). Belgium: double holiday pay, 92 % of a month (Royal decree of 30 March 1967), and the year-end premium of most
joint committees. Austria: holiday and Christmas pay, in every collective agreement. Switzerland: 13. Monatslohn,
in four contracts of five.
"""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from forecasting.fit.bonuses import YEAR_DAYS, YearlyBonus
from forecasting.fit.calendar import month_of
from forecasting.fit.payroll import FittedPayroll
from ledger.domain.flows import EPOCH, day_number

ALWAYS, OFTEN, HALF = 0.95, 0.8, 0.5  # how many pay it in its month

# Month, day, share of a month's pay and chance.
YEARLY_PAY: dict[str, tuple[tuple[int, int, float, float], ...]] = {
    "AR": ((6, 30, 0.5, ALWAYS), (12, 18, 0.5, ALWAYS)),
    "AT": ((6, 30, 1.0, ALWAYS), (11, 30, 1.0, ALWAYS)),
    "BE": ((5, 31, 0.92, OFTEN), (12, 20, 1.0, OFTEN)),
    "BR": ((11, 30, 0.5, ALWAYS), (12, 20, 0.5, ALWAYS)),
    "CH": ((12, 20, 1.0, OFTEN),),
    "ES": ((6, 30, 1.0, HALF), (12, 20, 1.0, HALF)),
    "GR": ((12, 21, 1.0, OFTEN),),
    "IT": ((12, 18, 1.0, OFTEN),),
    "MX": ((12, 18, 0.5, ALWAYS),),
    "NL": ((5, 31, 0.96, OFTEN),),
    "PH": ((12, 22, 1.0, ALWAYS),),
    "PT": ((6, 30, 1.0, OFTEN), (12, 15, 1.0, OFTEN)),
}


def with_unseen_yearly_pay(payroll: FittedPayroll) -> FittedPayroll:
    """The payroll with what a year's books would have shown, where they are younger than that."""
    unseen = tuple(
        bonus
        for month, day, share, chance in YEARLY_PAY.get(payroll.calendar.country, ())
        if (bonus := _bonus(payroll, month=month, day=day, share=share, chance=chance)) is not None
    )
    return replace(payroll, bonuses=payroll.bonuses + unseen) if unseen else payroll


def _bonus(payroll: FittedPayroll, *, month: int, day: int, share: float, chance: float) -> YearlyBonus | None:
    """One of the past year's, if no run of its month is in the books."""
    last = int(payroll.run_day[-1])
    today = EPOCH + timedelta(days=last)
    due = date(today.year, month, day)
    if day_number(due) > last:
        due = date(today.year - 1, month, day)
    of_month = month_of(payroll.run_day) == month_of(np.array([day_number(due)]))[0]
    if of_month.any() or last - day_number(due) >= YEAR_DAYS:
        return None
    runs = payroll.schedule.runs_per_month
    return YearlyBonus(day=day_number(due), share=share * runs, chance=chance)
