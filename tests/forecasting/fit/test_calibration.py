"""Recalibration on simulated companies: intervals that were too narrow or too wide come to cover what happens."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.fit.calibration import (
    LARGEST_SCORE,
    LEAST_EVIDENCE,
    LEAST_EVIDENCE_TO_NARROW,
    Z_OF_P5,
    Evidence,
    Observation,
    normal_score,
    weigh,
)
from forecasting.kernel.dispersion import NORMAL
from forecasting.scores import SCORED_DAYS

START = date(2020, 1, 1)
Z = [NORMAL.inv_cdf(level) for level in (0.05, 0.25, 0.5, 0.75, 0.95)]
BURN, SD = 1000.0, 3000.0


def simulated(*, spread_of_model: float, years: int, seed: int, bias: float = 0.0) -> tuple[Evidence, list[float]]:
    """A company whose cash walks, and a model that has its drift but `spread_of_model` times its true spread.

    Returns:
        what its record of monthly forecasts comes to, and the normal scores of the year that follows.
    """
    rng = np.random.default_rng(seed)
    cash = np.cumsum(-BURN + SD * rng.normal(size=years * 365 + 720))

    def score(day: int, ahead: int) -> float:
        median = cash[day] - BURN * ahead + bias * ahead
        spread = SD * np.sqrt(ahead) * spread_of_model
        return normal_score(quantiles=[median + spread * z for z in Z], outcome=float(cash[day + ahead]))

    end = years * 365
    known = [
        Observation(START + timedelta(days=day), ahead, score(day, ahead))
        for day in range(0, end, 30)
        for ahead in SCORED_DAYS
        if day + ahead <= end
    ]
    later = [score(day, ahead) for day in range(end, end + 360, 15) for ahead in SCORED_DAYS]
    return weigh(known), later


def covered(scores: list[float], dispersion: float) -> float:
    return float(np.mean(np.abs(scores) <= Z_OF_P5 * dispersion))


@pytest.mark.parametrize("spread_of_model", [0.5, 0.67, 1.0, 1.5, 2.0])
def test_the_coverage_of_days_to_come_moves_into_88_to_96_percent(spread_of_model: float) -> None:
    companies = [simulated(spread_of_model=spread_of_model, years=2, seed=seed) for seed in range(200)]
    before = np.mean([covered(later, 1.0) for _, later in companies])
    after = np.mean([covered(later, evidence.calibration.dispersion) for evidence, later in companies])
    assert 0.88 <= after <= 0.96
    if spread_of_model < 0.9:
        assert before < 0.8
    if spread_of_model > 1.1:
        assert before > 0.97
    assert abs(after - 0.90) <= abs(before - 0.90) + 0.02


def test_a_bias_widens_the_interval_instead_of_hiding() -> None:
    straight, _ = simulated(spread_of_model=1.0, years=2, seed=3)
    bent, _ = simulated(spread_of_model=1.0, years=2, seed=3, bias=1500.0)
    assert bent.calibration.dispersion > straight.calibration.dispersion * 1.5


def test_without_outcomes_nothing_is_claimed() -> None:
    evidence = weigh([])
    assert (evidence.calibration.state, evidence.calibration.dispersion) == ("uncalibrated", 1.0)
    assert (evidence.coverage, evidence.below_p5, evidence.outcomes) == (None, None, 0)


def monthly(count: int, score: float) -> list[Observation]:
    return [Observation(START + timedelta(days=30 * n), 30, score * (-1) ** n) for n in range(count)]


def test_too_few_windows_leave_the_models_own_width() -> None:
    few = weigh(monthly(int(LEAST_EVIDENCE) - 1, 3.0))
    assert few.calibration.state == "uncalibrated"
    assert few.calibration.dispersion == 1.0
    assert few.below_p5 is None
    assert weigh(monthly(int(LEAST_EVIDENCE), 3.0)).calibration.dispersion > 2.0


def test_narrowing_asks_for_more_evidence_than_widening() -> None:
    assert weigh(monthly(int(LEAST_EVIDENCE_TO_NARROW) - 1, 0.2)).calibration.dispersion == 1.0
    assert weigh(monthly(int(LEAST_EVIDENCE_TO_NARROW), 0.2)).calibration.dispersion < 1.0


def test_a_little_too_wide_is_no_reason_to_narrow() -> None:
    fits = NORMAL.inv_cdf(0.75) * 0.98 * (2.0 / np.pi) ** 0.5 / NORMAL.inv_cdf(0.75)
    assert weigh(monthly(12, fits)).calibration.dispersion == 1.0


def test_more_of_the_same_evidence_is_believed_more() -> None:
    few, many = (weigh(monthly(count, 0.3)).calibration.dispersion for count in (12, 48))
    assert many < few < 1.0
    few, many = (weigh(monthly(count, 2.0)).calibration.dispersion for count in (6, 48))
    assert 1.0 < few < many


def test_forecasts_of_the_same_weeks_are_not_counted_as_so_many_witnesses() -> None:
    daily = [Observation(START + timedelta(days=day), 30, 3.0) for day in range(90)]
    assert weigh(daily).calibration.windows == 3.0
    assert weigh(daily).calibration.state == "uncalibrated"


def test_one_catastrophe_is_bounded() -> None:
    calm = monthly(24, 0.8)
    struck = [*calm[:-1], Observation(calm[-1].as_of, 30, LARGEST_SCORE)]
    assert weigh(struck).calibration.dispersion < 1.5


def test_the_share_below_p5_is_drawn_to_five_percent_while_windows_are_few() -> None:
    never = weigh(monthly(12, 0.0))
    assert never.below_p5 == pytest.approx(0.05 * 20 / 32)
    always = [Observation(START + timedelta(days=30 * n), 30, -LARGEST_SCORE) for n in range(12)]
    assert weigh(always).below_p5 > 0.3


@given(
    quantiles=st.lists(st.integers(-(10**9), 10**9), min_size=5, max_size=5).map(sorted),
    outcome=st.integers(-(10**10), 10**10),
)
def test_a_normal_score_says_on_which_side_and_whether_inside(quantiles: list[int], outcome: int) -> None:
    score = normal_score(quantiles=quantiles, outcome=outcome)
    assert abs(score) <= LARGEST_SCORE
    if quantiles[0] <= outcome <= quantiles[4]:
        assert abs(score) <= Z_OF_P5 + 1e-9
    elif outcome < quantiles[0]:
        assert score <= -Z_OF_P5
    else:
        assert score >= Z_OF_P5


def test_quantiles_have_the_scores_of_their_levels() -> None:
    quantiles = [-100.0, -30.0, 0.0, 60.0, 300.0]
    for quantile, z in zip(quantiles, Z, strict=True):
        assert normal_score(quantiles=quantiles, outcome=quantile) == pytest.approx(z)
    assert normal_score(quantiles=quantiles, outcome=-200.0) == pytest.approx(-2 * Z_OF_P5)
    assert normal_score(quantiles=quantiles, outcome=-15.0) == pytest.approx(Z[1] / 2)
