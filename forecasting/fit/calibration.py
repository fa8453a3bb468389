"""How wide a company's forecasts should be, judged by how its earlier ones came out.

Each balance that was foretold and then happened has a normal score: where it fell in the forecast's own spread, 0
    at the median, -1.645 at p5. The scores of a model whose spread is right are standard normal; the scores of one
    that is twice too sure have twice that deviation. So their mean size, times sqrt(pi / 2), is the factor by
    which to stretch (spread-adjustment of ensembles: T. Gneiting, A. Raftery, A. Westveld, T. Goldman, "Calibrated
    Probabilistic Forecasting Using Ensemble Model Output Statistics and Minimum CRPS Estimation", Monthly Weather
    Review 133, 2005).
The mean size is taken, not the mean square: one catastrophe must not make every later forecast useless. A bias
    counts too, since it makes scores large.
"""

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from forecasting.kernel.dispersion import NARROWEST, NORMAL, WIDEST
from forecasting.outcome import UNCALIBRATED, Calibration

Z_OF_P5 = NORMAL.inv_cdf(0.95)
_Z = tuple(NORMAL.inv_cdf(level) for level in (0.05, 0.25, 0.5, 0.75, 0.95))
# One miss beyond every imagined future says "far outside" and no more.
LARGEST_SCORE = 6.0

# Windows that do not overlap. With fewer a share of 90 % cannot be told from 70 %.
LEAST_EVIDENCE = 6.0
# Narrowing takes away safety, so it asks for more: more windows, and a factor that would still narrow half a
# standard error up.
LEAST_EVIDENCE_TO_NARROW = 12.0
CAUTION_IN_STANDARD_ERRORS = 0.5
# How many windows of "the model is right" the evidence is weighed against.
PRIOR_WINDOWS_TO_WIDEN = 0.5
PRIOR_WINDOWS_TO_NARROW = 4.0
# sd of log(mean |score|) of one window, sqrt(pi / 2 - 1).
_LOG_SD = math.sqrt(math.pi / 2.0 - 1.0)
PRIOR_SHARE_WINDOWS = 20.0


@dataclass(frozen=True, slots=True)
class Observation:
    """A balance that was foretold on the basis of `as_of`, and what became of it.

    Attributes:
        score: its normal score in the spread of the model itself, before any stretch.
    """

    as_of: date
    days_ahead: int
    score: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a record comes to.

    Attributes:
        calibration: what follows from it.
        stretch: the factor that fits the record alone, before it is weighed against the model.
        coverage_before, coverage: share of outcomes within p5 and p95, as the model had them and stretched.
        below_p5: share below the stretched p5, drawn towards 5 % as far as windows are few; None without evidence.
        outcomes: how many, overlapping ones included.
    """

    calibration: Calibration
    stretch: float
    coverage_before: float | None
    coverage: float | None
    below_p5: float | None
    outcomes: int


def normal_score(*, quantiles: Sequence[float], outcome: float) -> float:
    """Where an outcome fell in a forecast.

    Between quantiles the score is read off a straight line; outside it goes on from the median through p5 or p95.

    Args:
        quantiles: p5, p25, p50, p75, p95, not descending.
    """
    p5, _, median, _, p95 = quantiles
    if p5 <= outcome <= p95:
        if p5 == p95:
            return 0.0
        n = min(max(bisect_right(quantiles, outcome), 1), len(quantiles) - 1)
        low, high = quantiles[n - 1], quantiles[n]
        share = 1.0 if high == low else (outcome - low) / (high - low)
        return _Z[n - 1] + share * (_Z[n] - _Z[n - 1])
    width = median - p5 if outcome < median else p95 - median
    size = abs(outcome - median) / width * Z_OF_P5 if width > 0.0 else LARGEST_SCORE
    # Where the median touches p5, the nearest outcome below is outside nevertheless.
    size = min(max(size, Z_OF_P5), LARGEST_SCORE)
    return -size if outcome < median else size


def weigh(observations: Iterable[Observation]) -> Evidence:
    """What the record of a company supports.

    Scores of one horizon are averaged; horizons are weighed by the windows they span. The windows of the shortest
    horizon are all the evidence there is, since the longer ones look at the same months.
    """
    by_horizon: dict[int, list[Observation]] = defaultdict(list)
    for one in observations:
        by_horizon[one.days_ahead].append(one)
    outcomes = sum(map(len, by_horizon.values()))
    if not outcomes:
        return Evidence(UNCALIBRATED, 1.0, None, None, None, 0)
    windows = {days: _windows(each, days) for days, each in by_horizon.items()}
    worth = max(windows.values())
    stretch = math.sqrt(math.pi / 2.0) * _mean(by_horizon, windows, abs)
    calibration = _calibration(stretch, worth)
    edge = Z_OF_P5 * calibration.dispersion
    below = _mean(by_horizon, windows, lambda score: float(score < -edge))
    prior = PRIOR_SHARE_WINDOWS
    return Evidence(
        calibration=calibration,
        stretch=stretch,
        coverage_before=_mean(by_horizon, windows, lambda score: float(abs(score) <= Z_OF_P5)),
        coverage=_mean(by_horizon, windows, lambda score: float(abs(score) <= edge)),
        below_p5=(below * worth + 0.05 * prior) / (worth + prior) if calibration.is_calibrated else None,
        outcomes=outcomes,
    )


def _calibration(stretch: float, windows: float) -> Calibration:
    if windows < LEAST_EVIDENCE:
        return Calibration(windows=windows)
    log = math.log(max(stretch, 1e-9))
    if log >= 0.0:
        log *= windows / (windows + PRIOR_WINDOWS_TO_WIDEN)
    elif windows >= LEAST_EVIDENCE_TO_NARROW:
        log *= windows / (windows + PRIOR_WINDOWS_TO_NARROW)
        log = min(0.0, log + CAUTION_IN_STANDARD_ERRORS * _LOG_SD / math.sqrt(windows))
    else:
        log = 0.0
    # Four decimals: what is published can be repeated from what is shown.
    dispersion = round(min(max(math.exp(log), NARROWEST), WIDEST), 4)
    return Calibration("calibrated", dispersion, windows)


def _windows(observations: list[Observation], days_ahead: int) -> float:
    """How many times the horizon fits into the time from the first start to the last end."""
    starts = [one.as_of for one in observations]
    span = (max(starts) - min(starts)).days
    return float(min(len(set(starts)), span // days_ahead + 1))


def _mean(
    by_horizon: Mapping[int, list[Observation]], windows: Mapping[int, float], figure: Callable[[float], float]
) -> float:
    means = {days: sum(figure(one.score) for one in each) / len(each) for days, each in by_horizon.items()}
    return sum(windows[days] * mean for days, mean in means.items()) / sum(windows.values())
