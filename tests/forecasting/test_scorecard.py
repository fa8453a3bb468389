from pathlib import Path

import numpy as np
import pytest

from forecasting.scorecard import ScoredCompany, linear_runway_days, read_oracle_crps, summary
from tests.forecasting.journal import every, history


def test_linear_extrapolation_is_balance_over_the_burn_of_ninety_days():
    text = every(1, start="2025-01-01", until="2025-06-30", line="-1000 card Cafe")
    assert linear_runway_days(history(text, as_of="2025-06-30", cash="50500"), beyond=366) == 51
    assert linear_runway_days(history(text, as_of="2025-06-30", cash="9000000"), beyond=366) == 366
    assert linear_runway_days(history(text, as_of="2025-06-30", cash="-1"), beyond=366) == 1
    rich = text + every(1, start="2025-01-01", until="2025-06-30", line="1000 sales Stripe")
    assert linear_runway_days(history(rich, as_of="2025-06-30"), beyond=366) == 366


def company(regime: str, p50: int, truths: list[int], zero_by: float = 0.0) -> ScoredCompany:
    return ScoredCompany(
        regime=regime,
        beyond=366,
        quantiles=np.arange(p50 - 49, p50 + 50),
        truths=np.array(truths),
        linear90=p50 + 20,
        zero_by=(zero_by,) * 4,
    )


def test_the_summary_counts_errors_coverage_and_tails():
    found = summary(
        [company("calm", 100, [100, 110]), company("wild", 200, [100, 300])],
        oracle_crps={"overall": 10.0, "calm": 2.0},
    )
    overall = found["overall"]
    assert overall["median_error_days"] == 55.0
    assert overall["below_p5"] == overall["above_p95"] == 0.25
    assert overall["coverage"] == 0.5
    assert overall["crps_over_oracle"] == pytest.approx(overall["crps_days"] / 10, abs=1e-3)
    assert found["regimes"]["calm"]["median_error_over_linear90"] == pytest.approx(5 / 15, abs=1e-3)
    assert found["regimes"]["wild"]["crps_over_oracle"] is None
    assert found["truths"] == 4


def test_a_true_forecast_is_scored_by_the_same_rules():
    pay_days = [90] * 4 + [105] * 40 + [120] * 40 + [366] * 36
    told = summary([company("calm", 300, pay_days)], oracle_crps={})["told_by_futures"]
    # 3.3 % of the futures end on the first pay day: the 5th percentile is the second, and nothing outlasts a year.
    assert told["below_p5"] == pytest.approx(4 / 120, abs=1e-4)
    assert told["above_p95"] == 0.0
    assert told["median_error_days"] == 15.0
    assert summary([company("calm", 300, [90])], oracle_crps={})["told_by_futures"] is None


def test_stated_probabilities_are_held_against_what_happened():
    companies = [company("", 100, [20, 400], zero_by=0.4) for _ in range(4)]
    rows = summary(companies, oracle_crps={})["reliability"]["30"]
    assert rows == [{"stated": 0.4, "happened": 0.5, "truths": 8}]
    assert summary(companies, oracle_crps={})["largest_reliability_gap"] == pytest.approx(0.1)


def test_an_oracle_is_read_from_baselines_beside_the_data(tmp_path: Path):
    assert read_oracle_crps(tmp_path) == {}
    (tmp_path / "BASELINES.md").write_text(
        "-- overall\nORACLE  n= 56 medAE 12.0 | CRPS  24.96\nets28 n= 56 | CRPS  49.77\n"
        "-- regime calm\nORACLE  n= 8 | CRPS  8.49\n-- true runway 1..45\nORACLE n= 3 | CRPS  1.0\n"
    )
    assert read_oracle_crps(tmp_path) == {"overall": 24.96, "calm": 8.49}
