"""What others would say about how long a balance lasts, from the daily outflow of the past: for comparison only.

- iid Monte Carlo: every day's outflow is drawn from a normal law with the mean and deviation of half a year (the
  founding simulation).
- ETS: simple exponential smoothing of 28-day totals, its weight the one with the least squared one-step error;
  errors are normal, and grow with the lead as ETS(A, N, N) says (R. Hyndman, A. Koehler, K. Ord, R. Snyder,
  Forecasting with Exponential Smoothing, 2008). A total is spent evenly over its days.
"""

import numpy as np
from numpy.typing import NDArray

PATHS = 4_000
SEED = 42
PERIOD_DAYS = 28
LEAST_PERIODS = 4
WEIGHTS = np.linspace(0.05, 0.95, 19)
LEVELS = np.arange(1, 100)

Floats = NDArray[np.float64]


def iid_monte_carlo(outflow: Floats, *, balance: float, horizon_days: int, window_days: int) -> NDArray[np.int64]:
    """Quantiles of the day on which a balance is used up, int64 [99]; horizon + 1 for beyond.

    Args:
        outflow: float64 [days], positive, of consecutive days up to today.
    """
    window = outflow[-window_days:]
    drawn = np.random.default_rng(SEED).normal(window.mean(), window.std(), size=(PATHS, horizon_days))
    return _quantiles(np.cumsum(drawn, axis=1), balance=balance)


def ets(outflow: Floats, *, balance: float, horizon_days: int) -> NDArray[np.int64] | None:
    """As `iid_monte_carlo`, over the whole past; None when there are too few periods to smooth."""
    periods = outflow.size // PERIOD_DAYS
    if periods < LEAST_PERIODS:
        return None
    totals = outflow[outflow.size - periods * PERIOD_DAYS :].reshape(periods, PERIOD_DAYS).sum(axis=1)
    errors = {float(weight): _one_step_errors(totals, float(weight)) for weight in WEIGHTS}
    weight = min(errors, key=lambda each: float(np.square(errors[each]).mean()))
    level = totals[-1] - errors[weight][-1] * (1.0 - weight)
    deviation = float(errors[weight].std())
    ahead = -(-horizon_days // PERIOD_DAYS)
    shocks = np.random.default_rng(SEED).normal(0.0, deviation, size=(PATHS, ahead))
    drifted = np.concatenate([np.zeros((PATHS, 1)), np.cumsum(weight * shocks, axis=1)[:, :-1]], axis=1)
    daily = np.repeat((level + drifted + shocks) / PERIOD_DAYS, PERIOD_DAYS, axis=1)[:, :horizon_days]
    return _quantiles(np.cumsum(daily, axis=1), balance=balance)


def _one_step_errors(totals: Floats, weight: float) -> Floats:
    level, errors = totals[0], []
    for total in totals[1:]:
        errors.append(total - level)
        level += weight * errors[-1]
    return np.array(errors)


def _quantiles(spent: Floats, *, balance: float) -> NDArray[np.int64]:
    gone = spent >= balance
    days = np.where(gone.any(axis=1), gone.argmax(axis=1) + 1, spent.shape[1] + 1)
    ranks = -(-LEVELS * days.size // 100) - 1
    return np.sort(days)[ranks].astype(np.int64)
