"""The variable pool: everything without a calendar of its own, as a weekly level, a weekday profile and lumps."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.fit.looks import Looks
from forecasting.fit.profile import spread, weekday_profile
from forecasting.fit.role import Role
from forecasting.fit.shrinkage import DAYS_PER_MONTH, weight

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

OUT, IN = 0, 1
LUMP_SHARE = 0.04  # of a month's outflow
OUTFLOW_DAYS = 182
LUMP_DAYS = 728
LUMP_HISTORY_DAYS = 28
YOUNG_INCOME_DAYS = 28
NEW_MONEY_MONTHS, MOST_NEW_MONEY = 6.0, 2
LONE_MONEY_MONTHS, LONE_MONEY_TIMES = 3.0, 3.0
MOST_LUMPS_PER_DAY = 0.15
# Few large bills of the next year were paid before: most ledgers of a year have seen none of them, or one.
UNSEEN_LUMP = 0.08  # of a month's outflow
UNSEEN_SHAPE, SEEN_SHAPE = 0.8, 0.5  # what is counted beside the lumps that were seen
HABIT = 8  # payments of one payee in a year that make it a habit, however large
HALF_LIFE_DAYS = 150.0
ENDED_PAYMENTS, ENDED_GAPS, ENDED_DAYS = 20, 10, 30
PROFILE_DAYS = 364
TREND_SD = 0.01
TREND_WEEKS = 52
WALK_SD = 0.04
MOST_LVL = 0.5
UNKNOWN_LVL = 0.5
WEEKS_TRUSTED = 4
LEAST_CUT = 0.3  # what a layoff leaves of large payments: as much as of everyday spending, and no less than that
BLOCK_WEEKS, BLOCKS_NEEDED = 4, 6


@dataclass(frozen=True, slots=True)
class FittedPool:
    """One direction of the pool (amounts signed).

    Attributes:
        mean_per_day: expected flow per day on the as-of date, without lumps.
        profile: float64 [7], mean 1, Monday first.
        variance_per_day: of the daily flow, without lumps.
        lump_sizes: float64 [n], past lumps.
        unseen_lump: size of one that nobody has seen yet, 0 where none is to be expected.
        lvl, g, gsd, rw: see forecasting.kernel.inputs.Factor.
    """

    mean_per_day: float
    profile: Floats
    variance_per_day: float
    lump_sizes: Floats
    unseen_lump: float
    lump_days: float
    lvl: float
    g: float
    gsd: float
    rw: float

    @property
    def lumps_per_day(self) -> float:
        """Expected flow per day from lumps."""
        sizes = self.possible_lumps
        return self.lump_shape / self.lump_days * float(sizes.mean()) if len(sizes) else 0.0

    @property
    def possible_lumps(self) -> Floats:
        """float64 [n]: the sizes that a lump to come may have."""
        return np.append(self.lump_sizes, self.unseen_lump) if self.unseen_lump else self.lump_sizes

    @property
    def lump_shape(self) -> float:
        """They arrive with rate Gamma(lump_shape) / lump_days."""
        return len(self.lump_sizes) + (UNSEEN_SHAPE if self.unseen_lump else SEEN_SHAPE)

    def expected(self, *, first_day: int, days: int) -> Floats:
        """float64 [days]: expected flow of each day at level 1, without lumps."""
        return self.mean_per_day * spread(profile=self.profile, first_day=first_day, days=days)


@dataclass(frozen=True, slots=True)
class PoolHistory:
    """What each look knew of one direction of the pool.

    Attributes:
        weekly: float64 [looks, weeks], sums of the weeks back from the look, the latest first.
        known_weeks: int64 [looks], whole weeks of history at each look, at least 1.
        lump: bool [looks, n], rows that were lumps at the look.
        pooled: bool [looks, n], other rows of this direction.
        unseen: float64 [looks], the size of a lump that nobody has seen yet; 0 of income.
        lump_days: float64 [looks], days in which lumps were counted.
    """

    weekly: Floats
    known_weeks: Ints
    lump: NDArray[np.bool_]
    pooled: NDArray[np.bool_]
    unseen: Floats
    lump_days: Floats

    def mean_per_day(self) -> Floats:
        """float64 [looks]: weighted weekly mean per day, lumps not included."""
        return _weighted_mean(self.weekly, _weights(self.weekly.shape[1], self.known_weeks)) / 7

    def chance_variance_per_day(self, amount: Floats) -> Floats:
        """float64 [looks]: variance per day of the flow by chance alone, as the simulation draws it."""
        weights = _weights(self.weekly.shape[1], self.known_weeks)
        mean = _weighted_mean(self.weekly, weights)
        weekly = _weighted_mean((self.weekly - mean[:, None]) ** 2, weights)
        lumps = (self.lump * amount**2).sum(axis=1) / self.lump_days
        return weekly / 7 + lumps

    def lumps_per_day(self, amount: Floats) -> Floats:
        """float64 [looks]: expected flow per day from lumps."""
        count = self.lump.sum(axis=1)
        expects = self.unseen != 0.0
        mean = ((self.lump * amount).sum(axis=1) + self.unseen) / np.maximum(count + expects, 1)
        shape = count + np.where(expects, UNSEEN_SHAPE, SEEN_SHAPE)
        return np.where(count + expects > 0, shape / self.lump_days * mean, 0.0)


def pool_history(looks: Looks, *, direction: int, all_outflow: Floats, ended: NDArray[np.bool_]) -> PoolHistory:
    """Weekly sums and lumps of one direction at every look.

    Args:
        all_outflow: float64 [looks], the company's per month.
        ended: bool [looks, n], what `has_ended` says.
    """
    rows = looks.rows
    sign = rows.amount > 0 if direction == IN else rows.amount < 0
    pooled = looks.pooled() & sign & ~ended
    age = looks.day[:, None] - rows.day[None, :]
    size = np.abs(rows.amount) / np.maximum(rows.count, 1)
    if direction == IN:
        pooled &= ~is_new_money(pooled, size, all_outflow)
    large = size > LUMP_SHARE * all_outflow[:, None]
    habit = (rows.role == Role.CONTRACTOR) | _is_habit(looks, age)
    known_days = looks.day - looks.first_day + 1
    large &= pooled & ~habit
    # What is large every week is no rare event, and a young ledger does not tell what is rare.
    rare = (large.sum(axis=1) <= MOST_LUMPS_PER_DAY * known_days) & (known_days >= LUMP_HISTORY_DAYS)
    large &= rare[:, None]
    lump = large & (age < LUMP_DAYS)
    pooled &= ~large
    known_weeks = np.maximum(known_days // 7, 1)
    weeks = int(known_weeks.max())
    week = np.where(pooled, age // 7, weeks)
    inside = pooled & (week < known_weeks[:, None])
    index = np.nonzero(inside)
    flat = index[0] * weeks + week[index]
    weekly = np.bincount(flat, weights=rows.amount[index[1]], minlength=len(looks.day) * weeks)
    # Less than a week of spending is scaled to a week. Income of a young ledger is that of four weeks: with a
    # receipt on its third day nobody knows of a second.
    scale = np.where(known_days < 7, 7 / known_days, 1.0)
    if direction == IN:
        scale = np.where(known_days < YOUNG_INCOME_DAYS, 7 * known_weeks / YOUNG_INCOME_DAYS, 1.0)
    lump_days = np.minimum(known_days, LUMP_DAYS).astype(np.float64)
    return PoolHistory(
        weekly=weekly.reshape(len(looks.day), weeks) * scale[:, None],
        known_weeks=known_weeks,
        lump=lump,
        pooled=pooled,
        unseen=-UNSEEN_LUMP * all_outflow if direction == OUT else np.zeros(len(looks.day)),
        # A month without a lump does not tell that there is one a month.
        lump_days=np.where(lump.any(axis=1), lump_days, np.maximum(lump_days, OUTFLOW_DAYS)),
    )


def is_new_money(pooled: NDArray[np.bool_], size: Floats, all_outflow: Floats) -> NDArray[np.bool_]:
    """bool [looks, n]: income that pays for half a year of everything, and of which there were one or two; or for
    a quarter, and is several times the next largest.

    That is a round, a loan or a sale of something, whatever it was called; nobody should live on its coming again.
    """
    vast = pooled & (size > NEW_MONEY_MONTHS * all_outflow[:, None])
    found: NDArray[np.bool_] = vast & (vast.sum(axis=1) <= MOST_NEW_MONEY)[:, None]
    if pooled.shape[1] > 1:
        sizes = np.where(pooled, size, 0.0)
        second, largest = np.partition(sizes, -2, axis=1)[:, -2:].T
        is_alone = (largest > LONE_MONEY_MONTHS * all_outflow) & (largest > LONE_MONEY_TIMES * second)
        found |= is_alone[:, None] & (sizes == largest[:, None])
    return found


def fit_pool(looks: Looks, known: PoolHistory, *, since_day: int | None = None) -> FittedPool | None:
    """The pool of one direction as of today; None when there is none.

    Args:
        since_day: from which a company spends otherwise; its level is that of the weeks since, once it is some.
    """
    rows, weeks = looks.rows, int(known.known_weeks[0])
    since = weeks if since_day is None else (rows.as_of_day - since_day + 1) // 7
    cut = 1.0
    if WEEKS_TRUSTED <= since < weeks:
        before = float(known.mean_per_day()[0]) * 7
        weeks = since
        cut = float(np.clip(known.weekly[0, :weeks].mean() / before, LEAST_CUT, 1.0)) if before else 1.0
    mine = known.pooled[0]
    if not mine.any() and not known.lump[0].any():
        return None
    weekly = known.weekly[0, :weeks]
    w = _weights(weeks, np.array([weeks]))[0]
    mean = float(_weighted_mean(weekly[None, :], w[None, :])[0])
    variance = float((w * (weekly - mean) ** 2).sum() / w.sum()) * (weeks / (weeks - 1) if weeks > 1 else 1.0)
    se = _standard_error(weekly, w)
    g, gsd = _trend(weekly, mean)
    return FittedPool(
        mean_per_day=mean / 7,
        profile=weekday_profile(
            day=rows.day[mine], amount=np.abs(rows.amount[mine]), as_of_day=rows.as_of_day, days=PROFILE_DAYS
        ),
        variance_per_day=variance / 7,
        lump_sizes=rows.amount[known.lump[0]] * cut,
        unseen_lump=float(known.unseen[0]),
        lump_days=float(known.lump_days[0]),
        lvl=_level_sd(mean, se) if weeks >= WEEKS_TRUSTED else UNKNOWN_LVL,
        g=g,
        gsd=gsd,
        rw=WALK_SD,
    )


def _standard_error(weekly: Floats, weights: Floats) -> float:
    """Of the weighted weekly mean, told by sums of four weeks where there are enough: what comes by the month is
    no noise of the level, though weeks with and without it differ.
    """
    blocks = len(weekly) // BLOCK_WEEKS
    if blocks < BLOCKS_NEEDED:
        blocks, length = len(weekly), 1
    else:
        length = BLOCK_WEEKS
    x = weekly[: blocks * length].reshape(blocks, length).mean(axis=1)
    w = weights[: blocks * length].reshape(blocks, length).sum(axis=1)
    mean = float((w * x).sum() / w.sum())
    variance = float((w * (x - mean) ** 2).sum() / w.sum()) * (blocks / (blocks - 1) if blocks > 1 else 1.0)
    return float(np.sqrt(variance * (w**2).sum())) / float(w.sum())


def monthly_outflow(day: Ints, amount: Floats, *, looks: Ints, first_day: int) -> Floats:
    """float64 [looks]: the whole company's outflow per month in the half year before each look.

    Args:
        day, amount: of its cash, ascending.
        looks: the days from which is looked back.
        first_day: of the ledger.
    """
    out = np.minimum(amount, 0.0)
    upto = np.concatenate([[0.0], np.cumsum(out)])
    end = np.searchsorted(day, looks, side="right")
    start = np.searchsorted(day, looks - OUTFLOW_DAYS, side="right")
    days = np.clip(looks - first_day + 1, 1, OUTFLOW_DAYS)
    flow: Floats = -(upto[end] - upto[start]) / days * DAYS_PER_MONTH
    return flow


def has_ended(looks: Looks) -> NDArray[np.bool_]:
    """bool [looks, n]: the row's payee was paid every few days for long, and then was not any more.

    A loan that is repaid day by day ends one day; the mean of past weeks would go on paying it for a year.
    """
    rows = looks.rows
    ended = np.zeros((len(looks.day), len(rows.day)), dtype=bool)
    count = np.bincount(looks.row_key, minlength=looks.keys)
    last_day = np.zeros(looks.keys, dtype=np.int64)
    np.maximum.at(last_day, looks.row_key, rows.day)
    for key in np.flatnonzero((count >= ENDED_PAYMENTS) & (looks.day[0] - last_day > ENDED_DAYS)).tolist():
        mine = np.flatnonzero(looks.row_key == key)
        days = np.unique(rows.day[mine])
        for look, day in enumerate(looks.day.tolist()):
            known = days[days <= day]
            if len(known) < ENDED_PAYMENTS:
                continue
            usual = float(np.median(np.diff(known)))
            if day - int(known[-1]) > max(ENDED_DAYS, ENDED_GAPS * usual):
                ended[look, mine] = True
    return ended


def _is_habit(looks: Looks, age: Ints) -> NDArray[np.bool_]:
    """bool [looks, n]: the row's payee was paid often in the year before the look."""
    year = (age >= 0) & (age < 365)
    index = np.nonzero(year)
    count = np.bincount(index[0] * looks.keys + looks.row_key[index[1]], minlength=len(looks.day) * looks.keys)
    often = count.reshape(len(looks.day), looks.keys) >= HABIT
    return often[:, looks.row_key]


def _weights(weeks: int, known_weeks: Ints) -> Floats:
    week = np.arange(weeks)
    fading = 0.5 ** (7 * week / HALF_LIFE_DAYS)
    return np.where(week[None, :] < known_weeks[:, None], fading, 0.0)


def _weighted_mean(weekly: Floats, weights: Floats) -> Floats:
    mean: Floats = (weekly * weights).sum(axis=1) / weights.sum(axis=1)
    return mean


def _level_sd(mean: float, se: float) -> float:
    return min(MOST_LVL, se / abs(mean)) if mean else 0.0


def _trend(weekly: Floats, mean: float) -> tuple[float, float]:
    """Growth per month, relative to the mean and shrunk to nothing, and its sd."""
    y = weekly[:TREND_WEEKS][::-1]
    if len(y) < 8 or not mean:
        return 0.0, TREND_SD
    months = np.arange(len(y)) * 7 / DAYS_PER_MONTH
    centred = months - months.mean()
    spread_of_months = float((centred**2).sum())
    slope = float((centred * y).sum()) / spread_of_months / mean
    residual = y / mean - 1 - slope * centred
    se = float(np.sqrt((residual**2).sum() / (len(y) - 2) / spread_of_months))
    share = weight(prior_sd=TREND_SD, se=se)
    return share * slope, TREND_SD * float(np.sqrt(1 - share))
