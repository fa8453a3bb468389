"""Withheld payroll tax: a share of every run that leaves days, or a month, later, and is not ours meanwhile."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from forecasting.fit.calendar import BusinessCalendar, add_months, day_of_month, month_of
from forecasting.fit.cash_rows import CashRows
from forecasting.fit.kept import Kept
from forecasting.fit.payroll import FittedPayroll
from forecasting.fit.role import Role

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

RATIOS_READ = 8
LONGEST_LAG_DAYS = 12
REMEMBERED_DAYS = 45
MOST_RATIO = 3.0
LONGEST_WAIT_DAYS = 3
RATIO_NOISE_SD = 0.02  # of the log: as well as this both explain it
CLEARLY_BETTER = 0.7  # at most so much of the spread of the other reading
START_OF_YEAR = (0, 1, 2)  # January to March: wage bases start again, so the ratio is higher


@dataclass(frozen=True, slots=True)
class FittedPayrollTax:
    """How the tax of one payroll follows its runs.

    Attributes:
        lag_days: calendar days from run to remittance, before moving to a business day.
        day_of_month: for a depositor by the month or quarter, the day of the month after it; 0 when each run is
            remitted.
        every_months: 1, or 3 for a depositor by the quarter.
        phase: the remainder, divided by `every_months`, of the months (since 1970) in which is paid.
        months_after: 1; 0 where a month's runs are remitted in the same month, mostly before they are paid.
        ratio_start_of_year, ratio: tax per unit of net pay in January to March, and else.
        owed_day, owed_amount: tax of past runs that is still to be paid, positive.
        label: what a founder would call it, who may pay several in one currency.
    """

    lag_days: int
    day_of_month: int
    ratio_start_of_year: float
    ratio: float
    owed_day: Ints
    owed_amount: Floats
    every_months: int = 1
    phase: int = 0
    months_after: int = 1
    label: str = "Payroll tax"


def fit_payroll_taxes(
    rows: CashRows, payrolls: tuple[FittedPayroll, ...]
) -> tuple[tuple[tuple[FittedPayrollTax, ...], ...], NDArray[np.bool_]]:
    """The taxes of each payroll, and which rows they explain. Several payrolls of a currency share its taxes."""
    tax = (rows.role == Role.PAYROLL_TAX) & (rows.amount < 0)
    currency = np.array([payee.currency for payee in rows.payees] or [""])
    explained = np.zeros(len(rows.day), dtype=bool)
    category = np.array([payee.category for payee in rows.payees] or [""])
    fitted: list[tuple[FittedPayrollTax, ...]] = []
    for payroll in payrolls:
        in_currency = tax & (currency[rows.payee] == payroll.currency) if len(rows.day) else tax
        share = _share(payroll, payrolls)
        taxes = []
        # Social insurance has another day than income tax, and a quarter's contributions than a month's.
        for kind in np.unique(category[rows.payee[in_currency]]).tolist():
            mine = in_currency & (category[rows.payee] == kind)
            paid_day, inverse = np.unique(rows.day[mine], return_inverse=True)
            paid = -np.bincount(inverse, weights=rows.amount[mine])
            found = fit_payroll_tax(
                payroll=payroll, paid_day=paid_day, paid=paid * share, as_of_day=rows.as_of_day
            )
            if found is not None:
                taxes.append(replace(found, label=_label(rows, mine, currency=payroll.currency)))
                explained |= mine
        fitted.append(tuple(taxes))
    return tuple(fitted), explained


def _label(rows: CashRows, mine: NDArray[np.bool_], *, currency: str) -> str:
    """By its payee; where these rows have several, by its currency."""
    payees = {rows.payees[payee].counterparty for payee in np.unique(rows.payee[mine]).tolist()}
    name = payees.pop() if len(payees) == 1 else ""
    return f"Payroll tax to {name}" if name else f"Payroll tax {currency}"


# Taxes and payrolls move a few times a month, and a company with every bill that is paid.
_kept: Kept[FittedPayrollTax | None] = Kept(1024)


def fit_payroll_tax(
    *, payroll: FittedPayroll, paid_day: Ints, paid: Floats, as_of_day: int
) -> FittedPayrollTax | None:
    """The tax of one payroll from the days and amounts (positive) it was paid; None when nothing matches."""
    key = (
        (payroll.schedule, payroll.calendar, as_of_day),
        tuple(array.tobytes() for array in (payroll.run_day, payroll.run_amount, paid_day, paid)),
    )
    return _kept.get(key, lambda: _fit(payroll, paid_day, paid, as_of_day))


def _fit(payroll: FittedPayroll, paid_day: Ints, paid: Floats, as_of_day: int) -> FittedPayrollTax | None:
    year = paid_day > as_of_day - 400
    paid_day, paid = paid_day[year], paid[year]
    if len(paid_day) < 2:
        return None
    # The latest run up to the payment: many providers take the tax with the pay.
    run = np.searchsorted(payroll.run_day, paid_day, side="right") - 1
    matched = run >= 0
    paid_day, paid, run = paid_day[matched], paid[matched], run[matched]
    if len(paid_day) < 2:
        return None
    lag = float(np.median(paid_day - payroll.run_day[run]))
    runs_since = int((payroll.run_day >= payroll.run_day[run[0]]).sum())
    by_month = lag > LONGEST_LAG_DAYS or len(paid_day) < 0.7 * runs_since
    if by_month or _is_of_the_month_before(payroll, paid_day, paid):
        return _fit_monthly(payroll, paid_day, paid, as_of_day)
    return _fit_per_run(payroll, paid_day, paid, run, as_of_day)


def remittances(
    *, tax: FittedPayrollTax, run_day: Ints, run_amount: Floats, calendar: BusinessCalendar
) -> tuple[Ints, Floats]:
    """When the tax of runs is paid, and how much: (days, positive amounts), one entry per run."""
    ratio = np.where(np.isin(month_of(run_day) % 12, START_OF_YEAR), tax.ratio_start_of_year, tax.ratio)
    if tax.day_of_month:
        month = _month_due(month_of(run_day), every=tax.every_months, phase=tax.phase, after=tax.months_after)
        due = add_months(month=month, day_of_month=tax.day_of_month)
    else:
        due = run_day + tax.lag_days
    return calendar.on_or_after(due), run_amount * ratio


def _fit_per_run(
    payroll: FittedPayroll, paid_day: Ints, paid: Floats, run: Ints, as_of_day: int
) -> FittedPayrollTax | None:
    total = np.bincount(run, weights=paid, minlength=len(payroll.run_day))
    first_paid = np.full(len(payroll.run_day), np.iinfo(np.int64).max)
    np.minimum.at(first_paid, run, paid_day)
    known = np.flatnonzero(total > 0)
    lag = int(np.clip(np.rint(np.median((first_paid - payroll.run_day)[known][-12:])), 0, LONGEST_LAG_DAYS))
    ratio = _ratios(month_of(payroll.run_day[known]), total[known] / payroll.run_amount[known])
    if ratio is None:
        return None
    unpaid = (
        (total == 0) & (payroll.run_day > as_of_day - lag - 7) & (payroll.run_day > payroll.run_day[known[-1]])
    )
    return _with_owed(payroll, lag, 0, ratio, unpaid, as_of_day)


def _fit_monthly(payroll: FittedPayroll, paid_day: Ints, paid: Floats, as_of_day: int) -> FittedPayrollTax | None:
    """Of whoever deposits by the month, or by the quarter."""
    run_month, paid_month = month_of(payroll.run_day), month_of(paid_day)
    months = np.unique(paid_month)
    every = 3 if len(months) > 1 and float(np.median(np.diff(months))) == 3.0 else 1
    phase = int(months[-1]) % every
    total = np.array([paid[paid_month == month].sum() for month in months])
    same, before = _spreads(payroll, months, total)
    after = 0 if every == 1 and before > RATIO_NOISE_SD and same < CLEARLY_BETTER * before else 1
    due_month = _month_due(run_month, every=every, phase=phase, after=after)
    net = np.array([payroll.run_amount[due_month == month].sum() for month in months])
    known = net > 0
    if every == 3:
        known &= months >= int(run_month[0]) + every  # of the first quarter the books may miss runs
    ratio = _ratios(months[known] - after, total[known] / net[known]) if known.any() else None
    if ratio is None:
        return None
    recent = day_of_month(paid_day)[-6:]
    # Remittances wait for an open day, so the earliest is nearest to the day they are due.
    dom = int(recent.min()) if np.median(recent) - recent.min() <= LONGEST_WAIT_DAYS else int(np.median(recent))
    this_month = int(month_of(np.array([as_of_day]))[0])
    # Runs of this month are not remitted yet, nor are those of the last one when this month saw no payment.
    unpaid = (due_month > this_month) | ((due_month == this_month) & (months[-1] != this_month))
    return _with_owed(payroll, 0, dom, ratio, unpaid, as_of_day, every=every, phase=phase, after=after)


def _is_of_the_month_before(payroll: FittedPayroll, paid_day: Ints, paid: Floats) -> bool:
    """Whether a tax that follows a monthly run by days goes clearly better with the run before that."""
    if payroll.schedule.runs_per_month > 1:
        return False
    months, place = np.unique(month_of(paid_day), return_inverse=True)
    same, before = _spreads(payroll, months, np.bincount(place, weights=paid))
    return same > RATIO_NOISE_SD and before < CLEARLY_BETTER * same


def _spreads(payroll: FittedPayroll, months: Ints, total: Floats) -> tuple[float, float]:
    """Sd of the log ratio of what is paid in each month to the runs of that month, and of the month before."""
    run_month = month_of(payroll.run_day)
    found = []
    for after in (0, 1):
        net = np.array([payroll.run_amount[run_month + after == month].sum() for month in months])
        known = (net > 0) & (months > int(run_month[0]) + after)
        found.append(float(np.std(np.log(total[known] / net[known]))) if int(known.sum()) >= 3 else np.inf)
    return found[0], found[1]


def _month_due(run_month: Ints, *, every: int, phase: int, after: int) -> Ints:
    """The month (since 1970) in which the tax of a run of `run_month` is paid: the next one of its phase."""
    following = run_month + after
    return np.asarray(following + (phase - following) % every)


def _with_owed(
    payroll: FittedPayroll,
    lag: int,
    dom: int,
    ratio: tuple[float, float],
    unpaid: NDArray[np.bool_],
    as_of_day: int,
    *,
    every: int = 1,
    phase: int = 0,
    after: int = 1,
) -> FittedPayrollTax:
    tax = FittedPayrollTax(
        lag_days=lag,
        day_of_month=dom,
        ratio_start_of_year=ratio[0],
        ratio=ratio[1],
        owed_day=np.zeros(0, dtype=np.int64),
        owed_amount=np.zeros(0),
        every_months=every,
        phase=phase,
        months_after=after,
    )
    unpaid &= payroll.run_day > as_of_day - REMEMBERED_DAYS - 31 * every
    day, amount = remittances(
        tax=tax,
        run_day=payroll.run_day[unpaid],
        run_amount=payroll.run_amount[unpaid],
        calendar=payroll.calendar,
    )
    return replace(tax, owed_day=np.maximum(day, as_of_day + 1), owed_amount=amount)


def _ratios(month: Ints, ratio: Floats) -> tuple[float, float] | None:
    """Median of the last ratios, January to March and else; either stands in for the other."""
    usable = (ratio > 0) & (ratio < MOST_RATIO)
    month, ratio = month[usable], ratio[usable]
    if not len(ratio):
        return None
    start = np.isin(month % 12, START_OF_YEAR)
    early, rest = ratio[start][-RATIOS_READ:], ratio[~start][-RATIOS_READ:]
    fallback = float(np.median(ratio[-RATIOS_READ:]))
    return (
        float(np.median(early)) if len(early) >= 2 else fallback,
        float(np.median(rest)) if len(rest) >= 2 else fallback,
    )


def _share(payroll: FittedPayroll, payrolls: tuple[FittedPayroll, ...]) -> float:
    """A payroll's share in the tax of its currency, by net pay per month."""
    monthly = {
        id(other): other.level * other.schedule.runs_per_month
        for other in payrolls
        if other.currency == payroll.currency
    }
    return monthly[id(payroll)] / max(sum(monthly.values()), 1e-9)
