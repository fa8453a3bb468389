"""Income that comes again and again: level, growth, season and weekday; sales are read like that."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.fit.begins import Begins
from forecasting.fit.calendar import add_months, day_of_month, day_of_week, month_of
from forecasting.fit.cash_rows import CashRows
from forecasting.fit.profile import spread, weekday_profile
from forecasting.fit.role import Role, has_role
from forecasting.fit.seasonality import Seasonality, fit_seasonality
from forecasting.fit.shrinkage import DAYS_PER_MONTH, drift, weight

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

BLOCK_DAYS = 28
TREND_BLOCKS = 26  # two years of them: what is left of a season cancels
USUAL_GROWTH_SD = 0.014
GROWTH_USED = 0.9
USUAL_NOISE = 0.3  # noise variance of a block per variance of the steps between blocks
WALK_USED = 0.9
PROFILE_DAYS = 182
YOUNG_LOG_SD = 0.15  # of a monthly step, before two blocks have shown it
# A payout stands for the days since the one before it; one alone is taken to stand for a fortnight.
USUAL_GAP_DAYS, GAP_PRIOR = 14.0, 0.5
YOUNG_RECEIPT_SD = 0.5  # of what a single day with receipts tells of the level; of more days by their root less
ENDED_DAYS = 42
DAYS_PER_BLOCK_BY_WEEK = 10  # fewer days with receipts than that, and months say more than weeks
ONE_WEEKDAY = 0.7
# Money that comes in a few large pieces: the variance of a block by chance alone, relative to its square.
LUMPY = 0.09
LUMPY_DAYS = 9  # that most of it comes on, a block: a shop's Christmas is not a piece among few
MOST_OF_INCOME = 0.8
LUMPS_SEEN = 0.3  # of that variance blocks must show: payouts on fixed days are few and large, and not by chance
LUMPY_WALK_SD = 0.07
LEAST_WALK_SD, MOST_WALK_SD, MOST_LVL = 0.02, 0.6, 0.8
LUMPY_BLOCKS = 6
MONTH_END = 31
EDGE_DAYS, EDGE_SHARE, MOST_EDGE_SHIFT, EDGES_NEEDED = 3, 0.25, 10, 5
WEEK_DAYS, LATE_PAYOUT_DAYS = 7, 4
OUTAGE_BLOCKS, LEAST_OUTAGE, OUTAGE_STEPS, OUTAGE_LVL = 6, 1.2, 4.0, 0.35  # log of a block's total


@dataclass(frozen=True, slots=True)
class Habit:
    """What is usual for a kind of income.

    Attributes:
        growth: per month.
        smoothing: of a block: how much of its surprise belongs to the level.
    """

    growth: float
    smoothing: float


SALES = Habit(growth=0.015, smoothing=0.5)


@dataclass(frozen=True, slots=True)
class FittedRevenue:
    """Sales per day on the as-of date and their uncertainty.

    Attributes:
        level_per_day: expected net sales of an average weekday in an average season on the as-of date.
        profile: float64 [7], mean 1, Monday first.
        seasonality: of the log level, within a year.
        variance_per_day: of daily sales around their expectation.
        lvl, g, gsd, rw: see forecasting.kernel.inputs.Factor.
        begins: from when on what no open invoice stands for comes; None where nothing is owed.
    """

    level_per_day: float
    profile: Floats
    seasonality: Seasonality
    variance_per_day: float
    lvl: float
    g: float
    gsd: float
    rw: float
    begins: Begins | None = None

    def expected(self, *, first_day: int, days: int) -> Floats:
        """float64 [days]: net sales of each day at level 1, without growth."""
        season = np.exp(self.seasonality.log_effect(np.arange(first_day, first_day + days)))
        return self.level_per_day * season * spread(profile=self.profile, first_day=first_day, days=days)


def fit_sales(rows: CashRows) -> tuple[FittedRevenue | None, NDArray[np.bool_]]:
    """Sales through a processor, and which rows they explain."""
    sales = rows.role == Role.REVENUE
    if not sales.any():
        return None, np.zeros(len(rows.day), dtype=bool)
    explained = has_role(rows.role, Role.REVENUE, Role.REFUND)
    first, last = int(rows.day[sales][0]), int(rows.day[sales][-1])
    return fit_income(rows, explained, SALES, first_day=first, last_day=last), explained


def fit_income(
    rows: CashRows, chosen: NDArray[np.bool_], habit: Habit, *, first_day: int, last_day: int
) -> FittedRevenue | None:
    """Income of the chosen rows, bool [n], taken together; None where it is over, or too little to be read.

    Args:
        habit: what is usual for this kind of income.
        first_day, last_day: of its first and last payment, days since 1970-01-01.
    """
    as_of_day = rows.as_of_day
    if as_of_day - last_day > ENDED_DAYS:
        return None  # it has ended, and is not expected again
    day, amount = rows.day[chosen], rows.amount[chosen]
    centre, log_total = _blocks(day, amount, first_day, as_of_day)
    if not len(log_total):
        return None
    log_total, is_out_now = _without_outages(log_total)
    lumps = _lumps(day, amount, first_day=first_day, as_of_day=as_of_day, habit=habit)
    seasonality = Seasonality() if lumps else fit_seasonality(day=centre, log_total=log_total)
    receipt_days = len(np.unique(day[amount > 0]))
    trend = lumps or _trend(
        centre, log_total - seasonality.log_effect(centre), as_of_day, habit, receipt_days=receipt_days
    )
    profile = weekday_profile(day=day, amount=amount, as_of_day=as_of_day, days=PROFILE_DAYS)
    return FittedRevenue(
        level_per_day=float(np.exp(trend.log_level)) / BLOCK_DAYS,
        profile=profile,
        seasonality=seasonality,
        variance_per_day=min(
            _daily_variance(day, amount, profile, first_day, as_of_day),
            _block_variance(trend.log_level, trend.step) / BLOCK_DAYS,
        ),
        lvl=min(max(trend.lvl, OUTAGE_LVL) if is_out_now else trend.lvl, MOST_LVL),
        g=GROWTH_USED * trend.g,
        gsd=trend.gsd,
        rw=float(np.clip(WALK_USED * trend.walk, LEAST_WALK_SD, MOST_WALK_SD)),
    )


def _blocks(day: Ints, amount: Floats, first_day: int, as_of_day: int) -> tuple[Ints, Floats]:
    """Centres and log totals of whole blocks that end on the as-of day, oldest first.

    Blocks have 28 days, so that each has every weekday four times; but money that comes on a few days of the month
    is summed by months, because 28 days may well miss the day it comes on. A company without one whole block is
    read from what there is. Totals are per 28 days in any case.
    """
    known = as_of_day - first_day + 1
    if known < BLOCK_DAYS:
        whole = float(amount.sum()) * BLOCK_DAYS / _days_stood_for(np.unique(day[amount > 0]), as_of_day)
        return np.array([as_of_day - known // 2]), np.log([whole]) if whole > 0 else np.zeros(0)
    months_back = np.arange(known // BLOCK_DAYS + 1)[::-1]
    if _comes_by_month(day[amount > 0], blocks=known / BLOCK_DAYS):
        today = np.array([as_of_day])
        month, dom = int(month_of(today)[0]), int(day_of_month(today)[0])
        edges = add_months(month=month - months_back, day_of_month=MONTH_END if dom >= 28 else dom)
        edges[-1], length = as_of_day, DAYS_PER_MONTH
        edges = edges + _away_from_receipts(day, amount, edges)
        if edges[-1] > as_of_day and not ((day > edges[-2]) & (amount > 0)).any():
            edges = edges[:-1]
    else:
        edges, length = (
            _last_day_of_weeks(day[amount > 0], as_of_day) - BLOCK_DAYS * months_back,
            float(BLOCK_DAYS),
        )
    edges = edges[edges >= first_day - 1]
    if len(edges) < 2:
        return edges[:0], np.zeros(0)
    # A block is (edge, next edge].
    block = np.searchsorted(edges, day, side="left") - 1
    inside = (block >= 0) & (block < len(edges) - 1)
    total = np.bincount(block[inside], weights=amount[inside], minlength=len(edges) - 1) * BLOCK_DAYS / length
    centre = (edges[1:] + edges[:-1]) // 2
    # A block of refunds only has no log; a small floor keeps it a bad month instead of the end of the world.
    floor = 0.02 * float(np.median(total[total > 0])) if (total > 0).any() else 0.0
    if floor <= 0.0:
        return centre[:0], np.zeros(0)
    return centre, np.log(np.maximum(total, floor))


def _without_outages(log_total: Floats) -> tuple[Floats, bool]:
    """Single blocks in which next to nothing came, read like those around them; and whether the last is one.

    A processor that holds money back, a shop without stock: it says nothing of what is earned a month later. When
    a second block is like it, sales are over.
    """
    if len(log_total) < OUTAGE_BLOCKS:
        return log_total, False
    steps = np.diff(log_total)
    usual_step = float(np.median(np.abs(steps - np.median(steps))))
    bound = max(LEAST_OUTAGE, OUTAGE_STEPS * usual_step)
    found = log_total.copy()
    for n in np.flatnonzero(log_total < np.median(log_total) - bound).tolist():
        around = np.delete(log_total[max(n - 2, 0) : n + 3], min(n, 2))
        if log_total[n] < float(np.min(around)) - bound:
            found[n] = float(np.median(around))
    return found, bool(found[-1] != log_total[-1])


def _away_from_receipts(day: Ints, amount: Floats, edges: Ints) -> int:
    """Days by which to move the edges of months, so that what is paid on the day of an edge, or the Monday after,
    does not fall out of one month and into the next."""
    if len(edges) < EDGES_NEEDED:
        return 0  # young books have no month to lose
    paid = np.abs(amount)

    def near(shift: int) -> float:
        at = np.searchsorted(edges, day - shift)
        after = (day - shift) - edges[np.maximum(at - 1, 0)]
        before = edges[np.minimum(at, len(edges) - 1)] - (day - shift)
        is_near = ((after >= 0) & (after <= EDGE_DAYS)) | ((before >= 0) & (before <= EDGE_DAYS))
        return float(paid[is_near].sum())

    here = near(0)
    if here < EDGE_SHARE * float(paid.sum()):
        return 0
    shifts = sorted(range(-MOST_EDGE_SHIFT, MOST_EDGE_SHIFT + 1), key=abs)
    least = min(shifts, key=near)
    return least if near(least) < here - EDGE_SHARE * float(paid.sum()) else 0


def _last_day_of_weeks(day: Ints, as_of_day: int) -> int:
    """Where blocks end: the as-of day, or while a weekly payout is due or a little late, the day before it is."""
    days = np.unique(day)
    if not len(days) or int(np.bincount(day_of_week(days), minlength=7).max()) < ONE_WEEKDAY * len(days):
        return as_of_day
    waiting = as_of_day - int(days[-1])
    return as_of_day - max(0, waiting - WEEK_DAYS + 1) if waiting < WEEK_DAYS + LATE_PAYOUT_DAYS else as_of_day


def _days_stood_for(days: Ints, as_of_day: int) -> float:
    """How long it takes to earn what came on these days, for receipts that began less than a block ago.

    The first of them was earned before it came: a first payout of today is not a day's sales.
    """
    if not len(days):
        return float(BLOCK_DAYS)
    first, last = int(days[0]), int(days[-1])
    gap = (last - first + GAP_PRIOR * USUAL_GAP_DAYS) / (len(days) - 1 + GAP_PRIOR)
    return as_of_day - first + gap


def _comes_by_month(day: Ints, *, blocks: float) -> bool:
    """Few days with receipts, and not always the same weekday, as weekly payouts would have."""
    days = np.unique(day)
    if len(days) >= DAYS_PER_BLOCK_BY_WEEK * blocks:
        return False
    return int(np.bincount(day_of_week(days), minlength=7).max()) < ONE_WEEKDAY * len(days)


@dataclass(frozen=True, slots=True)
class _Trend:
    """Log level of a block on the as-of day and its sd, growth a month and its sd, sds of true and seen steps."""

    log_level: float
    lvl: float
    g: float
    gsd: float
    walk: float
    step: float


def _trend(centre: Ints, log_total: Floats, as_of_day: int, habit: Habit, *, receipt_days: int) -> _Trend:
    y = log_total[-TREND_BLOCKS:]
    months = (centre[-TREND_BLOCKS:] - as_of_day) / DAYS_PER_MONTH
    if len(y) < 3:
        level = float(y.mean()) - habit.growth * float(months.mean())
        lvl = float(np.hypot(YOUNG_LOG_SD / 2, YOUNG_RECEIPT_SD / np.sqrt(max(receipt_days, 1))))
        return _Trend(level, lvl, habit.growth, USUAL_GROWTH_SD, YOUNG_LOG_SD, YOUNG_LOG_SD)
    steps = np.diff(y)
    sd, walk = float(np.std(steps)), _walk_sd(steps)
    slope, se = drift(steps, months=float(months[-1] - months[0]), walk=walk, noise=max(sd**2 - walk**2, 0.0) / 2)
    share = weight(prior_sd=USUAL_GROWTH_SD, se=se)
    g = share * slope + (1 - share) * habit.growth
    residual = y - g * months
    level = float(residual[0])
    for value in residual[1:].tolist():
        level += habit.smoothing * (value - level)
    return _Trend(
        log_level=level,
        g=g,
        gsd=max(0.006, float(np.sqrt(share)) * se),
        lvl=0.5 * sd,
        walk=walk,
        step=sd,
    )


def _lumps(day: Ints, amount: Floats, *, first_day: int, as_of_day: int, habit: Habit) -> _Trend | None:
    """Level of income that comes in a few large pieces at any time; None where it is steadier than that.

    The logarithm of such a month is of no use: one without a receipt would be the end of the world, and the step
    to the next its resurrection. What pieces of this size make of a month by chance is known (compound Poisson),
    so the level is a mean of many months, weighed like the steady state of a Kalman filter between that noise and
    a usual walk.
    """
    blocks = min(TREND_BLOCKS, (as_of_day - first_day + 1) // BLOCK_DAYS)
    if blocks < LUMPY_BLOCKS:
        return None
    back = (as_of_day - day) // BLOCK_DAYS
    inside = back < blocks
    total = np.bincount(blocks - 1 - back[inside], weights=amount[inside], minlength=blocks)
    mean = float(total.mean())
    if mean <= 0.0:
        return None
    noise = float(np.square(amount[inside]).sum()) / blocks / mean**2
    seen = float(np.square(np.diff(total)).mean()) / 2 / mean**2
    days = _days_of_most(day[inside], amount[inside])
    if noise < LUMPY or seen < LUMPS_SEEN * noise or days > LUMPY_DAYS * blocks:
        return None
    noise = (noise + seen) / 2
    walk = LUMPY_WALK_SD
    gain = (np.sqrt(walk**4 + 4 * walk**2 * noise) - walk**2) / (2 * noise)
    weights = (1 - gain) ** np.arange(blocks)[::-1]
    weights /= weights.sum()
    age = (np.arange(blocks)[::-1] + 0.5) * BLOCK_DAYS / DAYS_PER_MONTH
    level = float(weights @ (total * np.exp(habit.growth * age)))
    if level <= 0.0:
        return None
    return _Trend(
        log_level=float(np.log(level)),
        lvl=float(np.sqrt(noise * max(gain, float(np.square(weights).sum())))),
        g=habit.growth,
        gsd=USUAL_GROWTH_SD,
        walk=walk,
        step=float(np.sqrt(2 * noise)),
    )


def _days_of_most(day: Ints, amount: Floats) -> int:
    """On how many days most of the money came."""
    of_day = np.sort(np.bincount(day - day.min(), weights=np.maximum(amount, 0.0)))[::-1]
    return int(np.searchsorted(np.cumsum(of_day), MOST_OF_INCOME * of_day.sum())) + 1


def _walk_sd(steps: Floats) -> float:
    """Sd of the true monthly step, without what a block shows beside it.

    Noise makes a step be followed by its opposite, a walk does not; a handful of steps tells that only roughly, so
    half of the belief stays with a usual share of noise.
    """
    variance = float(np.var(steps))
    against = float(np.clip(-np.mean(steps[1:] * steps[:-1]), 0.0, variance / 2)) if len(steps) > 3 else 0.0
    noise = 0.5 * against + 0.5 * USUAL_NOISE * variance
    return float(np.sqrt(max(variance - 2 * noise, 0.0)))


def _block_variance(log_level: float, step_sd: float) -> float:
    """Of a block's total, by the steps from block to block.

    Ten retainers paid once a month are wild by the day and tame by the month: independent days of that wildness
    would add up to a month that never was.
    """
    return float((np.exp(log_level) * step_sd) ** 2) / 2


def _daily_variance(day: Ints, amount: Floats, profile: Floats, first_day: int, as_of_day: int) -> float:
    days = min(PROFILE_DAYS, as_of_day - first_day + 1)
    recent = day > as_of_day - days
    series = np.bincount(day[recent] - (as_of_day - days + 1), weights=amount[recent], minlength=days)
    window = min(BLOCK_DAYS, days)
    level = np.convolve(series, np.ones(window), "same") / np.convolve(np.ones(days), np.ones(window), "same")
    shape = spread(profile=profile, first_day=as_of_day - days + 1, days=days)
    return float(np.var(series - level * shape))
