"""Score forecasts against what happened: error, CRPS, coverage, and whether stated probabilities come true.

Days are censored one day beyond the horizon, in forecasts and in truths alike.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from forecasting.fit.history import CompanyHistory, base_rates
from forecasting.kernel.scoring import ReliabilityBin, crps_days, largest_reliability_gap, reliability
from forecasting.outcome import Forecast
from ledger.domain.flows import EVENT_TYPES, day_number

Ints = NDArray[np.int64]

LINEAR_DAYS = 90
RELIABILITY_DAYS = (30, 60, 90, 180)
LEAST_COMPANIES_PER_BIN = 3  # fewer prove nothing about a stated probability
LEAST_FUTURES_OF_A_LAW = 20
BASELINES_FILE = "BASELINES.md"


@dataclass(frozen=True, slots=True)
class ScoredCompany:
    """One forecast and its truths, all in days, censored at horizon + 1.

    Attributes:
        beyond: horizon + 1.
        quantiles: int64 [99].
        truths: int64 [futures].
        linear90: what extrapolating the last 90 days would have said.
        zero_by: stated probability of zero by each day of RELIABILITY_DAYS.
    """

    regime: str
    beyond: int
    quantiles: Ints
    truths: Ints
    linear90: float
    zero_by: tuple[float, ...]


def scored_company(
    forecast: Forecast, history: CompanyHistory, *, regime: str, truths: tuple[int | None, ...]
) -> ScoredCompany:
    """Bring a forecast and its truths onto one scale."""
    beyond = forecast.horizon_days + 1
    return ScoredCompany(
        regime=regime,
        beyond=beyond,
        quantiles=np.array([beyond if day is None else day for day in forecast.quantile_days], dtype=np.int64),
        truths=np.array([beyond if day is None else min(day, beyond) for day in truths], dtype=np.int64),
        linear90=linear_runway_days(history, beyond=beyond),
        zero_by=tuple(forecast.probability_of_zero_by.get(day) or 0.0 for day in RELIABILITY_DAYS),
    )


def linear_runway_days(history: CompanyHistory, *, beyond: int) -> float:
    """Balance divided by the mean burn of the last 90 days: the forecast everybody makes by hand."""
    rates, burn = base_rates(history), linear_burn_per_day(history)
    balance = sum(float(amount) * rates[code] for code, amount in history.cash.items() if amount)
    if balance <= 0:
        return 1.0
    return float(min(beyond, np.ceil(balance / burn))) if burn > 0 else float(beyond)


def linear_burn_per_day(history: CompanyHistory) -> float:
    """Mean burn of the last 90 days in base currency, negative when cash grew."""
    rates, flows, today = base_rates(history), history.flows, day_number(history.as_of)
    per_unit = np.array([rates.get(code, 0.0) for code in flows.currencies] or [1.0])
    moved = (flows.event_type != EVENT_TYPES.index("credit")) & (flows.day <= today)
    moved &= flows.day > today - LINEAR_DAYS
    return -float((flows.amount[moved] * per_unit[flows.currency[moved]]).sum()) / LINEAR_DAYS


def told_by_its_futures(company: ScoredCompany) -> ScoredCompany:
    """The same company, forecast by the law of its own futures: nobody can know more.

    Scored by the same rules it shows what the ruler does to a true forecast: cash runs out on pay days, and days
    are censored, so more than 90 % of truths lie in [p5, p95] and fewer than 5 % below.
    """
    ranks = -(-np.arange(1, 100) * len(company.truths) // 100) - 1
    return replace(company, quantiles=np.sort(company.truths)[ranks])


def summary(companies: list[ScoredCompany], *, oracle_crps: dict[str, float]) -> dict[str, object]:
    """Scores over all companies and per regime, of a true forecast too, and the reliability of P(zero by).

    Args:
        oracle_crps: by regime, and "overall"; empty when nobody knows the process.
    """
    regimes = sorted({company.regime for company in companies if company.regime})
    have_laws = all(len(company.truths) >= LEAST_FUTURES_OF_A_LAW for company in companies)
    return {
        "companies": len(companies),
        "truths": sum(len(company.truths) for company in companies),
        "overall": _score(companies, oracle_crps.get("overall")),
        "regimes": {
            regime: _score([one for one in companies if one.regime == regime], oracle_crps.get(regime))
            for regime in regimes
        },
        "told_by_futures": _score([told_by_its_futures(one) for one in companies], None) if have_laws else None,
        "reliability": {
            str(day): [_bin_json(one) for one in _reliability(companies, position)]
            for position, day in enumerate(RELIABILITY_DAYS)
        },
        "largest_reliability_gap": round(_largest_gap(companies), 4),
    }


def read_oracle_crps(folder: Path) -> dict[str, float]:
    """CRPS of an oracle, by regime and "overall", from a BASELINES.md beside the data; empty without one."""
    path = folder / BASELINES_FILE
    if not path.is_file():
        return {}
    found, section = {}, ""
    for line in path.read_text(encoding="utf-8").splitlines():
        heading = re.match(r"-- (?:regime )?(\S+)$", line)
        if line.startswith("-- "):
            section = heading.group(1) if heading else ""
        oracle = re.match(r"ORACLE\b.*CRPS\s+([0-9.]+)", line)
        if oracle and section:
            found[section] = float(oracle.group(1))
    return found


def _score(companies: list[ScoredCompany], oracle: float | None) -> dict[str, object]:
    """Errors pool every future; shares and CRPS are means over companies, so that each company counts alike."""
    error = np.concatenate([np.abs(one.quantiles[49] - one.truths) for one in companies])
    linear = np.concatenate([np.abs(one.linear90 - one.truths) for one in companies])
    below = float(np.mean([(one.truths < one.quantiles[4]).mean() for one in companies]))
    above = float(np.mean([(one.truths > one.quantiles[94]).mean() for one in companies]))
    score = float(np.mean([_crps(one) for one in companies]))
    bias = float(np.mean([(one.quantiles[49] - one.truths).mean() for one in companies]))
    median, linear_median = float(np.median(error)), float(np.median(linear))
    return {
        "companies": len(companies),
        "median_error_days": round(median, 2),
        "mean_error_days": round(float(error.mean()), 2),
        "bias_days": round(bias, 2),
        "crps_days": round(score, 3),
        "coverage": round(1.0 - below - above, 4),
        "below_p5": round(below, 4),
        "above_p95": round(above, 4),
        "median_width_days": round(
            float(np.median([one.quantiles[94] - one.quantiles[4] for one in companies])), 1
        ),
        "linear90_median_error_days": round(linear_median, 2),
        "linear90_crps_days": round(
            float(np.mean([np.abs(one.linear90 - one.truths).mean() for one in companies])), 3
        ),
        "median_error_over_linear90": round(median / linear_median, 4) if linear_median else None,
        "oracle_crps_days": oracle,
        "crps_over_oracle": round(score / oracle, 4) if oracle else None,
    }


def _crps(company: ScoredCompany) -> float:
    days = crps_days(quantile_days=company.quantiles, truth_days=company.truths, horizon_days=company.beyond - 1)
    return float(days.mean())


def _reliability(companies: list[ScoredCompany], position: int) -> tuple[ReliabilityBin, ...]:
    """Every future of every company holds its company's stated probability."""
    day = RELIABILITY_DAYS[position]
    stated = [np.full(len(one.truths), one.zero_by[position]) for one in companies]
    return reliability(
        probabilities=np.concatenate(stated), came_true=np.concatenate([one.truths <= day for one in companies])
    )


def _largest_gap(companies: list[ScoredCompany]) -> float:
    futures = sum(len(one.truths) for one in companies) / len(companies)
    bins = tuple(one for position in range(len(RELIABILITY_DAYS)) for one in _reliability(companies, position))
    return largest_reliability_gap(bins, least_count=round(LEAST_COMPANIES_PER_BIN * futures))


def _bin_json(one: ReliabilityBin) -> dict[str, float]:
    return {"stated": round(one.mean_forecast, 4), "happened": round(one.frequency, 4), "truths": one.count}
