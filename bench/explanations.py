"""How long it takes to say why: one explanation on both bases, compared with the day before and the week before.

python -m bench explanations
"""

import time
from dataclasses import replace
from datetime import timedelta
from statistics import median
from typing import Any

from bench.invented_companies import STYLES, invent
from forecasting.explain.change import EarlierForecast
from forecasting.explain.explanation import explain
from forecasting.explain.stage import stage
from forecasting.fit.company import fit_company
from forecasting.fit.history import CompanyHistory
from forecasting.kernel.shocks import shocks_for

GOALS = {"both_bases_seconds_median": "<= 1.0", "both_bases_seconds_worst": "<= 2.0"}
HORIZON_DAYS = 365
PATHS = 10_000
REPEATS = 3


def run() -> dict[str, Any]:
    """Median over styles of a company's median, and the slowest style."""
    seconds = {style: median(_explain_both(style) for _ in range(REPEATS)) for style in STYLES}
    return {
        "both_bases_seconds_median": round(median(seconds.values()), 3),
        "both_bases_seconds_worst": round(max(seconds.values()), 3),
        "by_style": {style: round(value, 3) for style, value in seconds.items()},
    }


def _explain_both(style: str) -> float:
    history = invent(style=style, seed=1, futures=1).history
    shocks = shocks_for(seed=42, paths=PATHS, horizon_days=HORIZON_DAYS)
    started = time.perf_counter()
    fitted = fit_company(history)
    then = {name: _earlier(history, days=days) for name, days in (("yesterday", 1), ("last_week", 7))}
    for basis in ("free", "bank"):
        staged = stage(history=history, fitted=fitted, basis=basis, shocks=shocks, horizon_days=HORIZON_DAYS)
        runway = staged.runway(staged.inputs)
        earlier = {
            name: EarlierForecast(
                run_id=1, published_day=past.as_of, runway=runway, history=past, fitted=then_fitted
            )
            for name, (past, then_fitted) in then.items()
        }
        explain(stage=staged, runway=runway, earlier=earlier, feeds=()).to_json()
    return time.perf_counter() - started


def _earlier(history: CompanyHistory, *, days: int) -> tuple[CompanyHistory, Any]:
    """The company some days before; its ledger is cut there by the fit."""
    past = replace(history, as_of=history.as_of - timedelta(days=days))
    return past, fit_company(past)
