"""Bonuses that come once a year, or twice: told from raises in the runs of a payroll, and expected again."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from forecasting.fit.calendar import month_of

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

BONUS_WINDOW = 9
BONUS_RATIO = 1.12
BONUS_RATIO_OUTSIDE_DECEMBER = 1.3
BONUS_YEAR_DAYS, YEAR_DAYS, BONUS_NEAR_DAYS = 372, 365, 16
BONUS_AGAIN_IN_DECEMBER, BONUS_SEEN_TWICE, BONUS_SEEN_ONCE = 1.0, 0.95, 0.7
BONUS_LIKE = 0.2
BONUS_RATIO_OF_LAST_RUN = 1.4  # in a team of three one hire is a third more, and no later run has told yet


@dataclass(frozen=True, slots=True)
class YearlyBonus:
    """A bonus that was paid on `day`: `share` of the level, with the `chance` that it comes again."""

    day: int
    share: float
    chance: float


def clean_bonuses(*, run_day: Ints, run_amount: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Runs with the bonuses taken out, and which runs carried one.

    A bonus stands out from the runs around it and is gone with the next run; a raise stays.
    """
    around = _medians_around(run_amount)
    december = month_of(run_day) % 12 == 11
    # Nobody knows what follows the last run; where the one before it was as high, it persists already.
    following = np.append(run_amount[1:], run_amount[-2:-1] if len(run_amount) > 1 else run_amount)
    persists = following > (run_amount + around) / 2
    ratio = np.where(december, BONUS_RATIO, BONUS_RATIO_OUTSIDE_DECEMBER)
    is_bonus = (run_amount > ratio * around) & ~persists
    if persists[-1]:
        return np.where(is_bonus, around, run_amount), is_bonus
    if len(run_amount) > 1 and not is_bonus[-2]:
        around[-1] = max(around[-1], run_amount[-2])  # of two hires in a row the first has raised what is usual
    a_year_ago = np.abs(run_day - (run_day[-1] - YEAR_DAYS)) <= BONUS_NEAR_DAYS
    paid_then = is_bonus & a_year_ago
    if paid_then.any():
        # Nearer to what came a year before than to none.
        least = 1 + float((run_amount[paid_then] / around[paid_then]).max() - 1) / 2
    elif december[-1] and not a_year_ago.any():
        least = BONUS_RATIO
    else:
        least = BONUS_RATIO_OF_LAST_RUN
    is_bonus[-1] = run_amount[-1] > least * around[-1]
    return np.where(is_bonus, around, run_amount), is_bonus


def _medians_around(amount: Floats) -> Floats:
    """float64 [n]: the median of each amount and its neighbours within BONUS_WINDOW, at the ends of fewer."""
    half, runs = BONUS_WINDOW // 2, np.arange(len(amount))
    padded = np.concatenate([np.full(half, np.nan), amount, np.full(half, np.nan)])
    # What lies beyond the ends is sorted behind; `np.nanmedian` takes ten times as long for so few.
    around = np.sort(np.lib.stride_tricks.sliding_window_view(padded, BONUS_WINDOW), axis=1)
    known = np.minimum(runs, half) + 1 + np.minimum(runs[::-1], half)
    medians: Floats = (around[runs, (known - 1) // 2] + around[runs, known // 2]) / 2
    return medians


def yearly_bonuses(
    run_day: Ints, run_amount: Floats, usual: Floats, is_bonus: NDArray[np.bool_]
) -> tuple[YearlyBonus, ...]:
    """Bonuses of the last year. A thirteenth month is paid in November here and in June there, but what stood out
    once in some other month than December may also have been somebody's severance. Two of one size are a custom.
    """
    found: list[YearlyBonus] = []
    for n in np.flatnonzero(is_bonus & (run_day > run_day[-1] - BONUS_YEAR_DAYS)).tolist():
        day = int(run_day[n])
        if (is_bonus & (np.abs(run_day - (day + YEAR_DAYS)) <= BONUS_NEAR_DAYS)).any():
            continue  # it has come again already, and tells no second one
        before = is_bonus & (np.abs(run_day - (day - YEAR_DAYS)) <= BONUS_NEAR_DAYS)
        december = bool(month_of(run_day[n : n + 1])[0] % 12 == 11)
        again = BONUS_AGAIN_IN_DECEMBER if december else BONUS_SEEN_TWICE if before.any() else BONUS_SEEN_ONCE
        found.append(YearlyBonus(day=day, share=float(run_amount[n] / usual[n] - 1), chance=again))
    return tuple(
        replace(one, chance=max(one.chance, BONUS_SEEN_TWICE))
        if any(other is not one and abs(other.share - one.share) <= BONUS_LIKE * one.share for other in found)
        else one
        for one in found
    )
