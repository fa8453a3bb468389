"""Trust an estimate as far as its error allows, and fall back on what is usual as far as it does not."""

import numpy as np
from numpy.typing import NDArray

DAYS_PER_MONTH = 30.4
LEAST_VARIANCE = 1e-6  # of a step: nothing is known to a tenth of a percent


def weight(*, prior_sd: float, se: float) -> float:
    """The share of an estimate in its shrunk value: prior variance / (prior variance + error variance)."""
    return prior_sd**2 / (prior_sd**2 + se**2)


def shrink(*, estimate: float, se: float, towards: float, prior_sd: float) -> float:
    """Normal-normal posterior mean."""
    share = weight(prior_sd=prior_sd, se=se)
    return share * estimate + (1 - share) * towards


def line(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    """Least squares: value at x = 0 and slope. A single distinct x has slope 0."""
    centre = float(x.mean())
    spread = float(((x - centre) ** 2).sum())
    slope = float(((x - centre) * (y - y.mean())).sum()) / spread if spread > 0 else 0.0
    return float(y.mean()) - slope * centre, slope


def slope_se(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Standard error of the slope of `line`; infinite below three points."""
    if len(x) < 3:
        return float("inf")
    start, slope = line(x, y)
    residual = y - start - slope * x
    spread = float(((x - x.mean()) ** 2).sum())
    return float(np.sqrt((residual**2).sum() / (len(x) - 2) / spread)) if spread > 0 else float("inf")


def drift(steps: NDArray[np.float64], *, months: float, walk: float, noise: float) -> tuple[float, float]:
    """Growth per month of a walk seen through noise, and its standard error, by generalised least squares.

    A walk's drift is told by its ends, a line's slope through noise by every point; the covariance of the steps
    weighs the two.

    Args:
        steps: float64 [n], from each point to the next; they span `months`.
        walk: sd of the walk's own step.
        noise: variance of a point around the walk: it enters one step and leaves with the next.
    """
    n = len(steps)
    covariance = np.diag(np.full(n, walk**2 + 2 * noise + LEAST_VARIANCE))
    covariance -= noise * (np.eye(n, k=1) + np.eye(n, k=-1))
    weights = np.linalg.solve(covariance, np.ones(n))
    steps_per_month = n / months
    return (
        float(weights @ steps / weights.sum()) * steps_per_month,
        float(1 / np.sqrt(weights.sum())) * steps_per_month,
    )
