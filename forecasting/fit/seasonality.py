"""Seasons of the year in sales, believed as far as the evidence goes.

One wave a year and one peak of some weeks, at any of eighteen places, are weighed against a trend alone: a shop's
December takes twice of any other month, and no wave is so narrow.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.fit.calendar import day_of_year
from forecasting.fit.shrinkage import DAYS_PER_MONTH

Floats = NDArray[np.float64]

BLOCKS_NEEDED = 12
# Where a shape is as likely as none: beforehand the odds are twenty to one against it.
EVEN_BIC_GAIN = 6.0
SHARE_USED = 0.9
EFFECT_SD, TREND_SD, LEVEL_SD = 0.5, 0.05, 10.0  # ridge as priors of the coefficients
YEAR_DAYS = 365.25
PEAKS, PEAK_SD_DAYS = 18, 25.0
LEAST_EFFECT = 1e-4  # of the log: less is not worth its columns
ALL_SHAPES = np.arange(2 + PEAKS)
_PLACES = (ALL_SHAPES - 2) * YEAR_DAYS / PEAKS


@dataclass(frozen=True, slots=True)
class Seasonality:
    """log effect of a day: `coefficients` times the shapes of the year on that day; none without them."""

    coefficients: tuple[float, ...] = ()

    def log_effect(self, day: NDArray[np.int64]) -> Floats:
        """float64 like `day`: 0 on average over a year."""
        if not self.coefficients:
            return np.zeros(len(day))
        coefficients = np.array(self.coefficients)
        columns = np.flatnonzero(coefficients)
        effect: Floats = _shapes(day, columns) @ coefficients[columns]
        return effect


def fit_seasonality(*, day: NDArray[np.int64], log_total: Floats) -> Seasonality:
    """The season in log totals centred on `day`, each shape by the probability that a trend is not enough."""
    if len(day) < BLOCKS_NEEDED:
        return Seasonality()
    months = (day - day[-1]) / DAYS_PER_MONTH
    shapes = _shapes(day)
    trend = np.column_stack([np.ones(len(day)), months])
    noise = _noise(log_total)
    _, plain = _ridge(trend, log_total, np.array([LEVEL_SD, TREND_SD]), noise)
    # A wave at once, and all peaks at once: one by one they took as long as the rest of a fit.
    waved, of_wave = _ridge(
        np.column_stack([trend, shapes[:, :2]]),
        log_total,
        np.array([LEVEL_SD, TREND_SD, EFFECT_SD, EFFECT_SD]),
        noise,
    )
    peaked, of_peaks = _ridge(
        np.concatenate([np.broadcast_to(trend, (PEAKS, *trend.shape)), shapes.T[2:, :, None]], axis=2),
        log_total,
        np.array([LEVEL_SD, TREND_SD, EFFECT_SD]),
        noise,
    )
    blocks = len(day)
    log_odds = np.empty(2 + PEAKS)
    log_odds[0] = 0.0
    log_odds[1] = (blocks * np.log(plain / of_wave) - 2 * np.log(blocks) - EVEN_BIC_GAIN) / 2
    # Where the peak lies is not known beforehand.
    log_odds[2:] = (blocks * np.log(plain / of_peaks) - np.log(blocks) - EVEN_BIC_GAIN) / 2 - np.log(PEAKS)
    weight = np.exp(log_odds - log_odds.max())
    weight *= SHARE_USED / weight.sum()
    mixed = np.concatenate([weight[1] * waved[2:], weight[2:] * peaked[:, 2]])
    mixed[np.abs(mixed) < LEAST_EFFECT] = 0.0
    return Seasonality(coefficients=tuple(mixed.tolist()) if mixed.any() else ())


def _shapes(day: NDArray[np.int64], columns: NDArray[np.intp] = ALL_SHAPES) -> Floats:
    """float64 [days, columns], each 0 on average over a year: the yearly wave's two, then the peaks."""
    of_year = day_of_year(day)
    angle = 2 * np.pi * of_year / YEAR_DAYS
    away = (of_year[:, None] - _PLACES[columns[columns >= 2]] + YEAR_DAYS / 2) % YEAR_DAYS - YEAR_DAYS / 2
    peaks = np.exp(-0.5 * (away / PEAK_SD_DAYS) ** 2) - np.sqrt(2 * np.pi) * PEAK_SD_DAYS / YEAR_DAYS
    waves = [of_angle(angle) for column, of_angle in ((0, np.sin), (1, np.cos)) if column in columns]
    return np.column_stack([*waves, peaks])


def _noise(log_total: Floats) -> float:
    """Variance of a block around its neighbours."""
    return max(1e-4, float(np.var(np.diff(log_total))) / 2)


def _ridge(x: Floats, y: Floats, prior_sd: Floats, noise: float) -> tuple[Floats, Floats]:
    """Coefficients and what they leave of the squares, for x float64 [..., n, k]."""
    turned = np.swapaxes(x, -1, -2)
    beta = np.linalg.solve(turned @ x + np.diag(noise / prior_sd**2), (turned @ y)[..., None])[..., 0]
    residual = y - (x @ beta[..., None])[..., 0]
    return beta, np.maximum(np.square(residual).sum(axis=-1), 1e-9)
