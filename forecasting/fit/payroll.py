"""Payroll: when it runs, what a run costs, and how fast that grows."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecasting.fit.bonuses import YEAR_DAYS, YearlyBonus, clean_bonuses, yearly_bonuses
from forecasting.fit.calendar import BusinessCalendar, calendar_for, country_of
from forecasting.fit.cash_rows import CashRows
from forecasting.fit.history import CompanyHistory
from forecasting.fit.kept import Kept
from forecasting.fit.pay_runs import LONE_PAYMENTS, RUNS_OF_A_PAYROLL, is_one_payment_a_run, read_runs
from forecasting.fit.role import SEVERANCE_WORDS, Role, words_of
from forecasting.fit.schedule import PaySchedule, read_schedule
from forecasting.fit.shrinkage import DAYS_PER_MONTH, line, slope_se, weight
from forecasting.fit.successor import Tenure, chains

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

ACTIVE_PERIODS = 1.8
SAME_RUN = 0.6
EVERY_RUN, LEAST_SKIPPING = 0.7, 0.15  # a smaller one is paid beside the run
LEAST_EXTRA = 0.02
OUTLIER = 0.4  # so far off the usual run and the run before
GROWTH_MONTHS = 24
USUAL_GROWTH, USUAL_GROWTH_SD = 0.006, 0.012
LEAST_GROWTH, MOST_GROWTH = -0.05, 0.06
GROWTH_AFTER_LAYOFF = -0.01
LEAST_LAYOFF = 0.36  # of the log: three in ten at once; in a small team one who leaves is less
GROWTH_WITH_HIRES = 0.3  # the plan already names most of the people that growth would bring
USUAL_WALK_SD, WALK_PRIOR_MONTHS = 0.03, 8
MOST_WALK_SD = 0.3  # whatever jumps more than that from month to month is no payroll of one schedule
ROBUST = 1.4826  # MAD to standard deviation of a normal
LARGEST_USUAL_STEP = 0.2
RUN_NOISE_SD = 0.004
FX_MONTHLY_SD = 0.023


@dataclass(frozen=True, slots=True)
class FittedPayroll:
    """One payroll: one currency, one schedule. Amounts in base currency, positive.

    Attributes:
        name: payee, or the currency when a run pays many people one by one.
        run_day, run_amount: past runs, summed per day.
        level: expected cost of a run on the as-of date, without bonus.
        bonuses: of the last twelve months, to come again a year later.
        lvl, g, gsd, rw: the factor's uncertainty, see forecasting.kernel.inputs.Factor.
        laid_off_day: the first run after the last layoff of the past year, None without one.
    """

    name: str
    currency: str
    calendar: BusinessCalendar
    schedule: PaySchedule
    run_day: Ints
    run_amount: Floats
    level: float
    bonuses: tuple[YearlyBonus, ...]
    lvl: float
    g: float
    gsd: float
    rw: float
    laid_off_day: int | None = None


def fit_payrolls(rows: CashRows, history: CompanyHistory) -> tuple[tuple[FittedPayroll, ...], NDArray[np.bool_]]:
    """The payrolls, and which rows they explain; runs without a schedule are left to other models."""
    payroll = (rows.role == Role.PAYROLL) & (rows.amount < 0)
    leaving = payroll & _to_those_who_leave(rows)
    payroll &= ~leaving
    explained = leaving.copy()
    found = []
    for currency, payees in _bundles(rows, payroll):
        mine = payroll & np.isin(rows.payee, np.array(payees))
        calendar = calendar_of(history, currency)
        fitted, is_payroll = _payroll_of(
            rows.day[mine],
            np.unique(rows.payee[mine], return_inverse=True)[1],
            rows.amount[mine],
            provider=rows.payees[payees[-1]].counterparty,
            people=f"{len(payees)} people in {currency}",
            currency=currency,
            foreign=currency != history.base_currency,
            calendar=calendar,
            as_of_day=rows.as_of_day,
            hires_planned=any(hire.currency == currency for hire in history.plan.planned_hires),
        )
        if is_payroll:
            explained |= mine
        if fitted is not None:
            found.append(fitted)
    return tuple(found), explained


# Of some hundred companies. A payroll moves twice a month, and a company with every bill that is paid.
_kept: Kept[tuple["FittedPayroll | None", bool]] = Kept(512)


def _payroll_of(
    day: Ints, payee: Ints, amount: Floats, *, provider: str, people: str, **setting: Any
) -> tuple[FittedPayroll | None, bool]:
    """The payroll behind payments, None when it has ended; and whether they are one at all.

    Args:
        provider, people: what it is called, if each run is one payment, and else.
        setting: of `fit_payroll`.
    """

    def fit() -> tuple[FittedPayroll | None, bool]:
        runs = read_runs(day=day, payee=payee, amount=amount)
        schedule = read_schedule(days=runs.day, calendar=setting["calendar"])
        if schedule is None:
            return None, False
        period = DAYS_PER_MONTH / schedule.runs_per_month
        if setting["as_of_day"] - runs.day[-1] > ACTIVE_PERIODS * period:
            return None, True  # explained, and not expected again
        name = provider if is_one_payment_a_run(day=day, payee=payee) else people
        fitted = fit_payroll(
            name=name, schedule=schedule, run_day=runs.day, run_amount=runs.amount, extra=runs.extra, **setting
        )
        return fitted, True

    key = (provider, people, *sorted(setting.items()), day.tobytes(), payee.tobytes(), amount.tobytes())
    return _kept.get(key, fit)


def _to_those_who_leave(rows: CashRows) -> NDArray[np.bool_]:
    """bool [n]: severance and the like, which nobody is paid twice."""
    of_payee = [
        bool((words_of(payee.category) | words_of(payee.counterparty)) & SEVERANCE_WORDS) for payee in rows.payees
    ]
    told: NDArray[np.bool_] = np.array(of_payee or [False])[rows.payee]
    return told


def fit_payroll(
    *,
    name: str,
    currency: str,
    foreign: bool,
    calendar: BusinessCalendar,
    schedule: PaySchedule,
    run_day: Ints,
    run_amount: Floats,
    extra: Floats | None = None,
    as_of_day: int | None = None,
    hires_planned: bool = False,
) -> FittedPayroll:
    """Level, growth and bonuses of one payroll from its runs (ascending days, positive amounts).

    Args:
        extra: how much of each run was paid beside the usual pay.
    """
    regular = run_amount if extra is None or (extra >= run_amount).any() else run_amount - extra
    usual, is_bonus = clean_bonuses(run_day=run_day, run_amount=regular)
    is_bonus |= run_amount - regular > LEAST_EXTRA * usual
    log_level = np.log(np.maximum(usual, 1e-9))
    g, gsd, rw, laid_off_day = _growth(run_day, log_level, schedule)
    age_months = 0.0 if as_of_day is None else (as_of_day - int(run_day[-1])) / DAYS_PER_MONTH
    return FittedPayroll(
        name=name,
        currency=currency,
        calendar=calendar,
        schedule=schedule,
        run_day=run_day,
        run_amount=run_amount,
        level=_level(usual),
        bonuses=yearly_bonuses(run_day, run_amount, usual, is_bonus),
        lvl=float(np.hypot(RUN_NOISE_SD, rw * np.sqrt(max(age_months, 0.0)))),
        g=g * (GROWTH_WITH_HIRES if hires_planned else 1.0),
        gsd=gsd,
        rw=float(np.hypot(rw, FX_MONTHLY_SD)) if foreign else rw,
        laid_off_day=laid_off_day,
    )


def calendar_of(history: CompanyHistory, currency: str) -> BusinessCalendar:
    """The bank calendar that moves payments in a currency of this company."""
    country = country_of(
        currency=currency,
        zone=history.timezone,
        base_currency=history.base_currency,
        country=history.country,
    )
    return calendar_for(country=country, year=history.as_of.year)


def run_days(payroll: FittedPayroll, *, as_of_day: int, days: int) -> Ints:
    """The pay days in the `days` after the as-of day, without the one that was just paid early."""
    expected = _days_after(payroll.schedule, payroll.calendar, as_of_day, as_of_day + days)
    half_period = DAYS_PER_MONTH / payroll.schedule.runs_per_month / 2
    return expected[expected - payroll.run_day[-1] > half_period]


# Both bases, the events to come and the next event's forecast ask for the same runs.
@lru_cache(maxsize=1024)
def _days_after(schedule: PaySchedule, calendar: BusinessCalendar, day: int, until: int) -> Ints:
    return schedule.days_after(day=day, until=until, calendar=calendar)


def _bundles(rows: CashRows, payroll: NDArray[np.bool_]) -> list[tuple[str, list[int]]]:
    """Payees per currency that are paid on the same days: one run, many people."""
    days_of: dict[int, set[int]] = {}
    paid = np.bincount(rows.payee[payroll], weights=-rows.amount[payroll]) if payroll.any() else np.zeros(0)
    for payee in np.unique(rows.payee[payroll]).tolist():
        days_of[payee] = set(rows.day[payroll & (rows.payee == payee)].tolist())
    bundles: list[tuple[str, list[int], set[int]]] = []
    for payee in sorted(days_of, key=lambda one: (-len(days_of[one]), one)):
        currency, days = rows.payees[payee].currency, days_of[payee]
        for known, members, run in bundles:
            first = members[0]
            is_large = paid[payee] / len(days) >= LEAST_SKIPPING * paid[first] / len(days_of[first])
            if (
                known == currency
                and len(days & run) >= SAME_RUN * len(days)
                and not (is_large and _skips_runs(days, run))
            ):
                members.append(payee)
                run |= days
                break
        else:
            bundles.append((currency, [payee], set(days)))
    return _with_successors(rows, payroll, [(currency, members) for currency, members, _ in bundles])


def _skips_runs(days: set[int], runs: set[int]) -> bool:
    """Whether who is paid on `days` of `runs` is left out of so many that he has a schedule of his own: what is
    passed on once a month, of a payroll that runs twice."""
    if not RUNS_OF_A_PAYROLL <= len(days) < EVERY_RUN * len(runs):
        return False
    ordered = sorted(runs)
    between = bisect_right(ordered, max(days)) - bisect_left(ordered, min(days))
    return len(days) < EVERY_RUN * between


def _with_successors(
    rows: CashRows, payroll: NDArray[np.bool_], bundles: list[tuple[str, list[int]]]
) -> list[tuple[str, list[int]]]:
    """A provider that took another's place pays the same payroll."""
    together: list[tuple[str, list[int]]] = []
    for currency in dict.fromkeys(currency for currency, _ in bundles):
        mine = [members for code, members in bundles if code == currency]
        found = chains([_tenure(rows, payroll, members) for members in mine])
        chained = [[payee for n in chain for payee in mine[n]] for chain in found]
        together += [(currency, members) for members in _with_lone_payees(rows, payroll, chained)]
    return together


def _with_lone_payees(rows: CashRows, payroll: NDArray[np.bool_], bundles: list[list[int]]) -> list[list[int]]:
    """Whoever was paid once or twice, on days of his own, is paid beside a payroll and by no second one."""
    times = [len(np.unique(rows.day[payroll & np.isin(rows.payee, np.array(members))])) for members in bundles]
    usual = int(np.argmax(times)) if times else 0
    if not times or times[usual] < RUNS_OF_A_PAYROLL:
        return bundles
    lone = [n for n in range(len(bundles)) if times[n] <= LONE_PAYMENTS]
    bundles[usual] = bundles[usual] + [payee for n in lone for payee in bundles[n]]
    return [members for n, members in enumerate(bundles) if n not in lone]


def _tenure(rows: CashRows, payroll: NDArray[np.bool_], members: list[int]) -> Tenure:
    paid = payroll & np.isin(rows.payee, np.array(members))
    return Tenure.of(rows.day[paid], -rows.amount[paid])


def _level(usual: Floats) -> float:
    """The last run, unless it is far off what is usual and off the run before."""
    last, median, before = float(usual[-1]), float(np.median(usual[-5:])), float(usual[-2:][0])
    is_far_off = all(abs(last / max(one, 1e-9) - 1) > OUTLIER for one in (median, before))
    return median if is_far_off and len(usual) > 1 else last


def _growth(run_day: Ints, log_level: Floats, schedule: PaySchedule) -> tuple[float, float, float, int | None]:
    """Growth per month, its sd, the sd of the monthly random walk of the log level, and the day of a layoff."""
    padded = np.concatenate([log_level[:1], log_level, log_level[-1:]])
    smooth = np.median(np.lib.stride_tricks.sliding_window_view(padded, 3), axis=1)
    recent = run_day > run_day[-1] - GROWTH_MONTHS * DAYS_PER_MONTH
    months = (run_day[recent] - run_day[-1]) / DAYS_PER_MONTH
    smooth, laid_off_day = _without_layoffs(run_day, smooth)
    towards = USUAL_GROWTH if laid_off_day is None else GROWTH_AFTER_LAYOFF
    _, slope = line(months, smooth[recent])
    runs_per_month = max(1, round(schedule.runs_per_month))
    steps = np.diff(log_level[::-1][::runs_per_month][::-1])
    rw = _walk_sd(steps)
    # Residuals around the line hang together, so its own standard error is far too sure of the slope: a walk with
    # this step says how far a slope of that many months can be chance.
    se = max(slope_se(months, smooth[recent]), rw / float(np.sqrt(max(-float(months[0]), 1.0))))
    share = weight(prior_sd=USUAL_GROWTH_SD, se=se) if np.isfinite(se) else 0.0
    g = float(np.clip(share * slope + (1 - share) * towards, LEAST_GROWTH, MOST_GROWTH))
    return g, USUAL_GROWTH_SD * float(np.sqrt(1 - share)), rw, laid_off_day


def _without_layoffs(run_day: Ints, log_level: Floats) -> tuple[Floats, int | None]:
    """The log level as it were had nobody been laid off, and the first run after the last layoff of a year.

    A layoff lowers the level and is no trend; for a year after it few who leave are replaced.
    """
    steps = np.diff(log_level, prepend=log_level[0])
    # The largest step says nothing of what is usual; commissions jump as far as that every month.
    usual = float(np.std(np.delete(steps, int(np.argmin(steps))))) if len(steps) > 2 else 0.0
    limit = max(3.0 * ROBUST * float(np.median(np.abs(steps))), 3.0 * usual, LARGEST_USUAL_STEP)
    layoff = steps < -limit
    recent = run_day[layoff & (steps < -LEAST_LAYOFF) & (run_day > run_day[-1] - YEAR_DAYS)]
    kept: Floats = log_level[0] + np.cumsum(np.where(layoff, 0.0, steps))
    return kept, int(recent[-1]) if len(recent) else None


def _walk_sd(steps: Floats) -> float:
    """Sd of monthly log steps: a company's own, mixed with what is usual; a calm year promises no calm one.

    One step counts for at most a fifth, or three times the middle one: a single round of hires is no habit.
    """
    if len(steps) < 2:
        return USUAL_WALK_SD
    limit = max(3.0 * ROBUST * float(np.median(np.abs(steps))), LARGEST_USUAL_STEP)
    own = float((np.clip(steps, -limit, limit) ** 2).sum())
    walk = float(np.sqrt((own + WALK_PRIOR_MONTHS * USUAL_WALK_SD**2) / (len(steps) + WALK_PRIOR_MONTHS)))
    return min(walk, MOST_WALK_SD)
