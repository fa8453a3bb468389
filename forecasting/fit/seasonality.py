"""Seasons of the year in sales, believed as far as the evidence goes.

Three shapes are weighed against a trend alone: one wave a year, two (a spring and an autumn, or a narrow summer),
and the weeks before the year's end, when shops take twice of any other month and no wave is so narrow.
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
# Columns of `_shapes`: the yearly wave's two, the peaks'. Where the peak lies is not known beforehand.
_CANDIDATES = ((0, 1), *((2 + peak,) for peak in range(PEAKS)))


@dataclass(frozen=True, slots=True)
class Seasonality:
    """log effect of a day: `coefficients` times the shapes of the year on that day; none without them."""

    coefficients: tuple[float, ...] = ()

    def log_effect(self, day: NDArray[np.int64]) -> Floats:
        """float64 like `day`: 0 on average over a year."""
        if not self.coefficients:
            return np.zeros(len(day))
        effect: Floats = _shapes(day) @ np.array(self.coefficients)
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
    log_odds, found = [0.0], [np.zeros(shapes.shape[1])]
    for columns in _CANDIDATES:
        x = np.column_stack([trend, shapes[:, columns]])
        prior = np.array([LEVEL_SD, TREND_SD] + [EFFECT_SD] * len(columns))
        beta, left = _ridge(x, log_total, prior, noise)
        gain = len(day) * np.log(plain / left) - len(columns) * np.log(len(day))
        log_odds.append(float(gain - EVEN_BIC_GAIN) / 2 - (np.log(PEAKS) if len(columns) == 1 else 0.0))
        coefficients = np.zeros(shapes.shape[1])
        coefficients[list(columns)] = beta[2:]
        found.append(coefficients)
    weight = np.exp(np.array(log_odds) - max(log_odds))
    mixed = SHARE_USED * (weight / weight.sum()) @ np.array(found)
    return Seasonality(coefficients=tuple(mixed.tolist()))


def _shapes(day: NDArray[np.int64]) -> Floats:
    """float64 [days, 5], each 0 on average over a year."""
    of_year = day_of_year(day)
    angle = 2 * np.pi * of_year / YEAR_DAYS
    centres = np.arange(PEAKS) * YEAR_DAYS / PEAKS
    away = (of_year[:, None] - centres + YEAR_DAYS / 2) % YEAR_DAYS - YEAR_DAYS / 2
    peaks = np.exp(-0.5 * (away / PEAK_SD_DAYS) ** 2) - np.sqrt(2 * np.pi) * PEAK_SD_DAYS / YEAR_DAYS
    return np.column_stack([np.sin(angle), np.cos(angle), peaks])


def _noise(log_total: Floats) -> float:
    """Variance of a block around its neighbours."""
    return max(1e-4, float(np.var(np.diff(log_total))) / 2)


def _ridge(x: Floats, y: Floats, prior_sd: Floats, noise: float) -> tuple[Floats, float]:
    beta = np.linalg.solve(x.T @ x + np.diag(noise / prior_sd**2), x.T @ y)
    residual = y - x @ beta
    return beta, max(float(residual @ residual), 1e-9)
