"""The simulation: against the founding loop on the same inputs, and the full model by size.

Goals: >= 10 x the founding loop and equal to it in distribution; full model, 10,000 paths x 365 days, p5, p50 and
p95 in <= 10 ms, with bands in <= 15 ms, both warm; a process of <= 400 MB.
"""

import resource
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.founding_loop import FoundingCompany, founding_runway_days
from bench.full_model import full_model
from forecasting.kernel.inputs import ForecastInputs, Tranche
from forecasting.kernel.shocks import shocks_for
from forecasting.kernel.simulate import simulate

PATHS, HORIZON_DAYS, SEED = 10_000, 365, 42
WARM_RUNS, LOOP_RUNS, TIMED_RUNS = 5, 5, 60

GOALS = {
    "founding_over_kernel": ">= 10",
    "kolmogorov_distance": f"<= {1.63 * np.sqrt(2 / PATHS):.3f}",
    "full_p5_p50_p95_ms": "<= 10",
    "full_with_bands_ms": "<= 15",
    "process_mb": "<= 400",
}


def run() -> dict[str, Any]:
    """Measure; returns figures by name."""
    return {**full_model_figures(), **founding_figures(), **larger_figures()}


def full_model_figures() -> dict[str, Any]:
    """Warm timings of the full model, what the first one costs, and the memory of the process after them."""
    inputs = full_model(horizon_days=HORIZON_DAYS)
    began = time.perf_counter()
    shocks = shocks_for(seed=SEED, paths=PATHS, horizon_days=HORIZON_DAYS)
    simulate(inputs, shocks)
    cold = time.perf_counter() - began
    return {
        "full_p5_p50_p95_ms": median_ms(lambda: simulate(inputs, shocks, with_bands=False)),
        "full_with_bands_ms": median_ms(lambda: simulate(inputs, shocks)),
        "first_in_process_ms": cold * 1e3,
        "process_mb": peak_mb(),
        "shocks_mb": shocks.nbytes / 2**20,
    }


def founding_figures() -> dict[str, Any]:
    """Both simulations of the founding company, taking turns; ratio of medians, distance of their laws."""
    company = FoundingCompany()
    inputs = founding_inputs(company)
    shocks = shocks_for(seed=SEED, paths=PATHS, horizon_days=HORIZON_DAYS)
    simulate(inputs, shocks)
    theirs_s, ours_s = [], []
    for turn in range(LOOP_RUNS):
        began = time.perf_counter()
        theirs = founding_runway_days(company, simulations=PATHS, horizon_days=HORIZON_DAYS, seed=SEED + turn)
        theirs_s.append(time.perf_counter() - began)
        for _ in range(WARM_RUNS):
            began = time.perf_counter()
            ours = simulate(inputs, shocks, with_bands=False).runway_days
            ours_s.append(time.perf_counter() - began)
    return {
        "founding_loop_ms": median(theirs_s) * 1e3,
        "kernel_same_inputs_ms": median(ours_s) * 1e3,
        "founding_over_kernel": median(theirs_s) / median(ours_s),
        "kolmogorov_distance": kolmogorov_distance(theirs, ours),
        "founding_p5_p50_p95": percentiles(theirs),
        "kernel_p5_p50_p95": percentiles(ours),
    }


def larger_figures() -> dict[str, Any]:
    """The same company at other sizes: cost should follow paths x days."""
    figures: dict[str, Any] = {}
    for paths, horizon_days in ((PATHS, 730), (50_000, HORIZON_DAYS)):
        inputs = full_model(horizon_days=horizon_days)
        shocks = shocks_for(seed=SEED, paths=paths, horizon_days=horizon_days)
        figures[f"with_bands_{paths}x{horizon_days}_ms"] = median_ms(lambda: simulate(inputs, shocks), runs=10)  # noqa: B023
    figures["process_mb_at_50000_paths"] = peak_mb()
    return figures


def founding_inputs(company: FoundingCompany) -> ForecastInputs:
    """The founding company in the kernel's words."""
    days = np.arange(HORIZON_DAYS)
    credit_per_day = np.where(days < company.credit_days, company.credit / company.credit_days, 0.0)
    return ForecastInputs(
        as_of_day=20_522,
        opening_balance=company.balance,
        horizon_days=HORIZON_DAYS,
        factors=(),
        fixed=credit_per_day - company.burn_per_day,
        shock_sd_per_day=np.full(HORIZON_DAYS, company.burn_sd_per_day),
        persistent_sd=np.zeros(HORIZON_DAYS),
        tranches=(
            Tranche(
                "tranche",
                company.tranche_day,
                company.tranche,
                company.tranche_probability,
                company.tranche_delay_mean_days,
                company.tranche_delay_sd_days,
            ),
        ),
    )


def kolmogorov_distance(first: NDArray[np.int32], second: NDArray[np.int32]) -> float:
    """Largest difference of the two empirical distributions."""
    days = np.arange(1, HORIZON_DAYS + 2)
    shares = [np.searchsorted(np.sort(sample), days, side="right") / sample.shape[0] for sample in (first, second)]
    return float(np.abs(shares[0] - shares[1]).max())


def percentiles(runway_days: NDArray[np.int32]) -> list[int]:
    return [int(day) for day in np.percentile(runway_days, (5, 50, 95), method="inverted_cdf")]


def median_ms(work: Callable[[], object], *, runs: int = TIMED_RUNS) -> float:
    for _ in range(WARM_RUNS):
        work()
    seconds = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return median(seconds) * 1e3


def peak_mb() -> float:
    """Largest resident size of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
