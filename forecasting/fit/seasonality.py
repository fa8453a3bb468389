"""Seasons of the year in sales, believed as far as the evidence goes."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.fit.calendar import day_of_year
from forecasting.fit.shrinkage import DAYS_PER_MONTH

Floats = NDArray[np.float64]

BLOCKS_NEEDED = 12
EVEN_BIC_GAIN = 6.0  # where a wave is as likely as none: beforehand the odds are twenty to one against it
SHARE_USED = 0.9
WAVE_SD, TREND_SD, LEVEL_SD = 0.5, 0.05, 10.0  # ridge as priors of the coefficients
YEAR_DAYS = 365.25


@dataclass(frozen=True, slots=True)
class Seasonality:
    """log effect of a day = sine sin(a) + cosine cos(a), a = the day's angle in the year."""

    sine: float = 0.0
    cosine: float = 0.0

    def log_effect(self, day: NDArray[np.int64]) -> Floats:
        """float64 like `day`: 0 on average over a year."""
        if not (self.sine or self.cosine):
            return np.zeros(len(day))
        angle = 2 * np.pi * day_of_year(day) / YEAR_DAYS
        return self.sine * np.sin(angle) + self.cosine * np.cos(angle)


def fit_seasonality(*, day: NDArray[np.int64], log_total: Floats) -> Seasonality:
    """The yearly wave in log totals centred on `day`, by the probability that a trend alone is not enough."""
    if len(day) < BLOCKS_NEEDED:
        return Seasonality()
    months = (day - day[-1]) / DAYS_PER_MONTH
    angle = 2 * np.pi * day_of_year(day) / YEAR_DAYS
    trend = np.column_stack([np.ones(len(day)), months])
    wave = np.column_stack([trend, np.sin(angle), np.cos(angle)])
    noise = _noise(log_total)
    _, plain = _ridge(trend, log_total, np.array([LEVEL_SD, TREND_SD]), noise)
    beta, waved = _ridge(wave, log_total, np.array([LEVEL_SD, TREND_SD, WAVE_SD, WAVE_SD]), noise)
    gain = len(day) * np.log(plain / waved) - 2 * np.log(len(day))
    share = SHARE_USED / (1 + math.exp(min(50.0, (EVEN_BIC_GAIN - gain) / 2)))
    return Seasonality(sine=share * float(beta[2]), cosine=share * float(beta[3]))


def _noise(log_total: Floats) -> float:
    """Variance of a block around its neighbours."""
    return max(1e-4, float(np.var(np.diff(log_total))) / 2)


def _ridge(x: Floats, y: Floats, prior_sd: Floats, noise: float) -> tuple[Floats, float]:
    beta = np.linalg.solve(x.T @ x + np.diag(noise / prior_sd**2), x.T @ y)
    residual = y - x @ beta
    return beta, max(float(residual @ residual), 1e-9)
