"""What one forecast comes to once its days are known: pure, from the JSON it was published as."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from forecasting.fit.calibration import normal_score
from forecasting.kernel.scoring import crps_days, error_days

SCORED_DAYS = (30, 60, 90, 180)
BANDS = ("p5", "p25", "p50", "p75", "p95")
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, slots=True)
class Foretold:
    """A forecast as far as it can be held to what happened.

    Attributes:
        balance: at the end of `as_of`.
        bands: per day ahead of SCORED_DAYS within the horizon, p5 .. p95 of the closing balance.
        zero_by: stated probability of zero by that day, where it was stated.
        quantile_days: 99 days, horizon + 1 for beyond.
        dispersion: by how much its spread was stretched.
        linear_burn: mean burn per day of the last 90 days before it.
    """

    as_of: date
    horizon_days: int
    balance: float
    bands: Mapping[int, tuple[float, ...]]
    zero_by: Mapping[int, float | None]
    quantile_days: tuple[int, ...]
    dispersion: float
    linear_burn: float

    def day(self, days_ahead: int) -> date:
        return self.as_of + timedelta(days=days_ahead)

    @property
    def linear_days(self) -> float:
        """How long the balance lasts at that burn; horizon + 1 when it lasts longer."""
        beyond = self.horizon_days + 1
        if self.balance <= 0:
            return 1.0
        return (
            float(min(beyond, np.ceil(self.balance / self.linear_burn))) if self.linear_burn > 0 else float(beyond)
        )


@dataclass(frozen=True, slots=True)
class ScoredCash:
    """How one balance of a forecast came out.

    Attributes:
        linear: what the mean burn of the last 90 days would have left.
        normal_score: where the outcome fell in the model's own spread, before any stretch.
        score: quantile score, in money.
    """

    days_ahead: int
    quantiles: tuple[float, ...]
    actual: float
    linear: float
    normal_score: float
    score: float


@dataclass(frozen=True, slots=True)
class ScoredRunway:
    """How the runway of a forecast came out, in days censored at horizon + 1."""

    actual_days: int | None
    crps_days: float
    error_days: float
    linear_days: float
    linear_error_days: float


def foretold(forecast: Mapping[str, Any], *, linear_burn: float) -> Foretold:
    """Read a forecast as it was published (`Forecast.to_json`).

    Raises:
        KeyError, ValueError: it is not the JSON of a forecast.
    """
    horizon = int(forecast["horizon_days"])
    bands = forecast["bands"]
    place = {int(day): n for n, day in enumerate(bands["days"])}
    ahead = [day for day in SCORED_DAYS if day in place]
    return Foretold(
        as_of=date.fromisoformat(forecast["as_of"]),
        horizon_days=horizon,
        balance=float(forecast["balance"]),
        bands={day: tuple(float(bands[name][place[day]]) for name in BANDS) for day in ahead},
        zero_by={day: forecast["probability_of_zero_by"].get(str(day)) for day in ahead},
        quantile_days=tuple(horizon + 1 if day is None else int(day) for day in forecast["quantile_days"]),
        dispersion=float(forecast.get("calibration", {}).get("dispersion", 1.0)),
        linear_burn=linear_burn,
    )


def score_cash(told: Foretold, *, days_ahead: int, actual: float) -> ScoredCash:
    """Hold the balance foretold for a day to what it was."""
    quantiles = told.bands[days_ahead]
    return ScoredCash(
        days_ahead=days_ahead,
        quantiles=quantiles,
        actual=actual,
        linear=told.balance - told.linear_burn * days_ahead,
        # What was published as p5 lay at `dispersion` times as many deviations in the model's own spread.
        normal_score=normal_score(quantiles=quantiles, outcome=actual) * told.dispersion,
        score=quantile_score(quantiles=quantiles, outcome=actual),
    )


def score_runway(told: Foretold, *, actual_days: int | None) -> ScoredRunway:
    """Hold the runway to how long cash lasted; None when it outlasted the horizon."""
    beyond = told.horizon_days + 1
    truth = np.array([beyond if actual_days is None else min(actual_days, beyond)])
    crps = crps_days(quantile_days=np.array(told.quantile_days), truth_days=truth, horizon_days=told.horizon_days)
    error = error_days(p50_days=told.quantile_days[49], truth_days=truth, horizon_days=told.horizon_days)
    return ScoredRunway(
        actual_days=actual_days if actual_days is not None and actual_days <= told.horizon_days else None,
        crps_days=float(crps[0]),
        error_days=float(error[0]),
        linear_days=told.linear_days,
        linear_error_days=abs(told.linear_days - float(truth[0])),
    )


def quantile_score(*, quantiles: Sequence[float], outcome: float) -> float:
    """Twice the mean pinball loss over p5, p25, p50, p75, p95; for a single number its absolute error.

    It is the weighted interval score of two intervals and a median (J. Bracher, E. Ray, T. Gneiting, N. Reich,
    "Evaluating epidemic forecasts in an interval format", PLOS Computational Biology 17(2), 2021), which
    approximates the CRPS.
    """
    losses = (
        max(level * (outcome - quantile), (level - 1.0) * (outcome - quantile))
        for level, quantile in zip(LEVELS, quantiles, strict=True)
    )
    return 2.0 * sum(losses) / len(LEVELS)
