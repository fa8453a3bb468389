"""How near the medians of a regime could come: what is asked of a forecaster before its typical error falls.

    python -m bench.known_medians FOLDER REGIME

Truths serve to diagnose a forecast that is already made; nothing here reaches one.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from forecasting.company_folder import read_company_folder
from forecasting.engine import HORIZON_DAYS, forecast

Floats = NDArray[np.float64]

MEDIAN = 49  # of the 99 quantiles
DRAWS = 4000
BURN_OFF_BY = (0.02, 0.04, 0.06, 0.08)


def median_error(p50: Floats, truths: Floats) -> float:
    """Of medians float64 [companies] against futures float64 [companies, futures], all pooled; in days."""
    return float(np.median(np.abs(p50[:, None] - truths)))


def report(names: list[str], quantiles: Floats, truths: Floats) -> list[str]:
    """Lines to print, for quantiles float64 [companies, 99]."""
    ours = quantiles[:, MEDIAN]
    known = np.quantile(truths, 0.5, axis=1, method="inverted_cdf")
    rng = np.random.default_rng(7)
    redrawn = rng.integers(0, len(names), (DRAWS, len(names)))
    lines = [
        f"median error {median_error(ours, truths):.1f}, of true medians {median_error(known, truths):.1f}",
        f"expected where our own laws are true {median_error(ours, quantiles):.1f}",
        "companies redrawn, 5 to 95 %: " + _range([median_error(ours[c], truths[c]) for c in redrawn]),
    ]
    for burn in BURN_OFF_BY:
        off = known * np.exp(burn * rng.normal(size=(DRAWS, len(names))))
        errors = [median_error(one, truths) for one in off]
        lines.append(f"true medians, burn off by {burn:.0%}: " + _range(errors))
    for n, name in enumerate(names):
        one_known = ours.copy()
        one_known[n] = known[n]
        died = float((truths[n] <= ours[n]).mean())
        lines.append(
            f"{name}: p50 {ours[n]:.0f}, true {known[n]:.0f}, {died:.0%} of futures end by ours;"
            f" median error with the true one {median_error(one_known, truths):.1f}"
        )
    return lines


def _range(errors: list[float]) -> str:
    low, middle, high = np.quantile(errors, (0.05, 0.5, 0.95))
    return f"{low:.1f}, {middle:.1f}, {high:.1f}"


def _main(folder: Path, regime: str) -> None:
    names, quantiles, truths = [], [], []
    for path in sorted(folder.glob(f"{regime}-*")):
        company = read_company_folder(path, now=datetime.now(UTC))
        if company.truth is None:
            continue
        made = forecast(company.history, basis="bank")
        names.append(path.name)
        quantiles.append([HORIZON_DAYS + 1 if day is None else day for day in made.quantile_days])
        truths.append([HORIZON_DAYS + 1 if day is None else day for day in company.truth.runway_days])
    print("\n".join(report(names, np.array(quantiles, dtype=float), np.array(truths, dtype=float))))


if __name__ == "__main__":
    _main(Path(sys.argv[1]), sys.argv[2])
