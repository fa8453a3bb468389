"""How good forecasts are on companies invented here: error, CRPS against the oracle, coverage.

    python -m bench forecasts            the figures
    python -m bench.forecasts [PER_STYLE] [FIRST_SEED]   the tables by style, of both makes

The oracle knows everything but luck: its forecast is the empirical law of the futures themselves.
"""

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from bench.invented_companies import STYLES, InventedCompany, Maker, invent
from bench.more_companies import MORE_STYLES
from forecasting.engine import forecast
from forecasting.kernel.scoring import crps_days
from forecasting.scorecard import ScoredCompany, scored_company, summary, told_by_its_futures

GOALS = {
    "crps_over_oracle": "<= 1.25",
    "median_error_over_linear90": "<= 0.50",
    "coverage": ">= 0.88",
    "below_p5": "<= 0.07",
}
PER_STYLE = 8
FRESH_SEED = 100
FUTURES = 40
HORIZON_DAYS = 365


def run() -> dict[str, Any]:
    """Overall figures on PER_STYLE companies of every style."""
    overall = report(per_style=PER_STYLE, first_seed=FRESH_SEED)["overall"]
    wanted = ("companies", "median_error_days", "crps_days", *GOALS, "above_p95")
    more = report(per_style=PER_STYLE, first_seed=FRESH_SEED, styles=MORE_STYLES)["overall"]
    return {name: overall[name] for name in wanted} | {
        "other_makes_companies": more["companies"],
        "other_makes_crps_over_oracle": more["crps_over_oracle"],
        "other_makes_coverage": more["coverage"],
    }


def report(*, per_style: int, first_seed: int = 0, styles: Mapping[str, Maker] = STYLES) -> dict[str, Any]:
    """Scores over all styles and per style. Seeds below 100 were looked at while the model was made."""
    seeds = range(first_seed, first_seed + per_style)
    companies = [
        invent(style=style, seed=seed, futures=FUTURES, make=make)
        for style, make in styles.items()
        for seed in seeds
    ]
    scored = [_score(company) for company in companies]
    oracle = [_oracle_crps(one) for one in scored]
    by_style = {
        style: float(np.mean([crps for one, crps in zip(scored, oracle, strict=True) if one.regime == style]))
        for style in styles
    }
    return summary(scored, oracle_crps=by_style | {"overall": float(np.mean(oracle))})


def _score(company: InventedCompany) -> ScoredCompany:
    made = forecast(company.history, basis="bank", horizon_days=HORIZON_DAYS)
    return scored_company(made, company.history, regime=company.style, truths=company.futures)


def _oracle_crps(one: ScoredCompany) -> float:
    law = told_by_its_futures(one).quantiles
    return float(crps_days(quantile_days=law, truth_days=one.truths, horizon_days=HORIZON_DAYS).mean())


if __name__ == "__main__":
    from forecasting.management.commands.score_forecasts import score_table

    given = [int(text) for text in sys.argv[1:3]]
    wanted = {"per_style": given[0] if given else PER_STYLE, "first_seed": given[1] if given[1:] else 0}
    print(score_table(report(**wanted)))
    print("Of other makes:")
    print(score_table(report(**wanted, styles=MORE_STYLES)))
