"""From a ledger's daily flows to a published forecast: fit, drivers, simulation, summary."""

import statistics
import time
from collections.abc import Callable

from bench.invented_companies import invent
from forecasting.drivers.assembly import assemble, contributions
from forecasting.drivers.contribution import Setting
from forecasting.engine import forecast
from forecasting.fit.company import fit_company
from forecasting.kernel.shocks import shocks_for
from forecasting.kernel.simulate import simulate

GOALS = {"fit_ms": "<= 25", "whole_forecast_ms": "<= 60"}
ROUNDS = 25


def run() -> dict[str, float]:
    """Medians on a software company with some 4,000 rows of daily flows."""
    history = max((invent(style="software", seed=seed, futures=0).history for seed in range(6)), key=_rows)
    company = fit_company(history)
    setting = Setting(history=history, company=company, basis="bank", horizon_days=365)
    parts = contributions(setting)
    inputs = assemble(setting, parts)
    shocks = shocks_for(seed=42, paths=10_000, horizon_days=365)
    return {
        "rows_of_daily_flows": _rows(history),
        "fit_ms": _median_ms(lambda: fit_company(history)),
        "drivers_ms": _median_ms(lambda: assemble(setting, contributions(setting))),
        "simulation_ms": _median_ms(lambda: simulate(inputs, shocks)),
        "whole_forecast_ms": _median_ms(lambda: forecast(history, basis="bank")),
    }


def _rows(history: object) -> int:
    return len(history.flows.day)  # type: ignore[attr-defined]


def _median_ms(work: Callable[[], object]) -> float:
    work()
    seconds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return round(statistics.median(seconds) * 1000, 2)
