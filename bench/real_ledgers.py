"""How good forecasts are on real ledgers, outflow only, from origins whose future is known.

    python -m bench.real_ledgers PATH.csv ...

A file has the columns occurred_at, amount_minor, currency, kind, category, counterparty_hash (Open Collective). At
every thirtieth day with half a year of past, a balance of three, six and nine months of the last half year's mean
outflow is given; the truth is the day on which what really left had used it up.
"""

import csv
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.outflow_baselines import ets, iid_monte_carlo
from forecasting.engine import forecast
from forecasting.fit.history import CompanyHistory, MissingInputs
from forecasting.kernel.scoring import crps_days
from ledger.domain.flow_sums import flow_arrays
from ledger.domain.flows import EPOCH, DailyFlows, day_number

PAST_DAYS = 180
EVERY_DAYS = 30
MONTHS = (3, 6, 9)
HORIZON_DAYS = 365
PATHS = 4_000


@dataclass(frozen=True, slots=True)
class Origin:
    """A day of the past, a balance, and when it was used up; `horizon_days` is what the ledger still covers."""

    history: CompanyHistory
    six_month_average_days: float
    truth_days: int
    horizon_days: int


def outflow_of(path: Path) -> DailyFlows:
    """The money that left, summed by day, kind and payee."""
    sums: dict[tuple[int, str, str, str, str], list[float]] = {}
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            amount = int(row["amount_minor"]) / 100
            if amount >= 0:
                continue
            day = day_number(date.fromisoformat(row["occurred_at"][:10]))
            category = " ".join(filter(None, (row["kind"].lower(), row["category"].lower())))
            key = (day, "expense", row["currency"], category, row["counterparty_hash"])
            total = sums.setdefault(key, [0.0, 0])
            total[0] += amount
            total[1] += 1
    return flow_arrays(
        [
            (day, amount, int(count), kind, currency, category, who)
            for (day, kind, currency, category, who), (amount, count) in sorted(sums.items())
        ]
    )


def origins(flows: DailyFlows) -> Iterator[Origin]:
    """Every origin whose truth the ledger knows."""
    first, last = int(flows.day[0]), int(flows.day[-1])
    currency = flows.currencies[int(flows.currency[0])]
    for day in range(first + PAST_DAYS, last - 90, EVERY_DAYS):
        ahead = flows.day > day
        monthly = -float(flows.amount[(flows.day > day - PAST_DAYS) & ~ahead].sum()) / PAST_DAYS * 30.4
        horizon = min(HORIZON_DAYS, last - day)
        for months in MONTHS:
            if monthly <= 0 or horizon < months * 30.4:
                continue
            gone = np.flatnonzero(np.cumsum(-flows.amount[ahead]) >= monthly * months)
            truth = int(flows.day[ahead][gone[0]]) - day if len(gone) else horizon + 1
            yield Origin(
                history=CompanyHistory(
                    as_of=EPOCH + timedelta(days=day),
                    base_currency=currency,
                    flows=flows,
                    cash={currency: Decimal(f"{monthly * months:.2f}")},
                    rates={},
                ),
                six_month_average_days=min(months * 30.4, horizon + 1.0),
                truth_days=min(truth, horizon + 1),
                horizon_days=horizon,
            )


@dataclass(frozen=True, slots=True)
class Scored:
    """One forecast of one origin, in days; `crps` of a point forecast is its error."""

    error: float
    crps: float
    inside: bool
    below: bool


def score(origin: Origin, quantile_days: NDArray[np.int64]) -> Scored:
    """Hold a forecast to what happened, no further than the ledger covers."""
    truth, beyond = origin.truth_days, origin.horizon_days + 1
    p5, p50, p95 = np.minimum(quantile_days[[4, 49, 94]], beyond)
    crps = crps_days(quantile_days=quantile_days, truth_days=np.array([truth]), horizon_days=origin.horizon_days)
    return Scored(abs(float(p50) - truth), float(crps[0]), bool(p5 <= truth <= p95), bool(truth < p5))


def scores(origin: Origin) -> dict[str, Scored] | None:
    """Ours and the others', by name; None where one of them has no forecast."""
    history = origin.history
    today = day_number(history.as_of)
    try:
        made = forecast(history, basis="bank", horizon_days=HORIZON_DAYS, paths=PATHS)
    except MissingInputs:
        return None
    first, past = int(history.flows.day[0]), history.flows.day <= today
    outflow = np.bincount(
        history.flows.day[past] - first, weights=-history.flows.amount[past], minlength=today - first + 1
    )
    balance = float(sum(history.cash.values()))
    smoothed = ets(outflow, balance=balance, horizon_days=HORIZON_DAYS)
    if smoothed is None:
        return None
    ours = np.array([HORIZON_DAYS + 1 if day is None else day for day in made.quantile_days])
    average = np.full(99, round(origin.six_month_average_days))
    drawn = iid_monte_carlo(outflow, balance=balance, horizon_days=HORIZON_DAYS, window_days=PAST_DAYS)
    return {
        "capstack": score(origin, ours),
        "six-month average": score(origin, average),
        "ETS of 28 days": score(origin, smoothed),
        "iid Monte Carlo": score(origin, drawn),
    }


def report(path: Path) -> str:
    """A table: how each forecast of a ledger came out."""
    found = [scored for origin in origins(outflow_of(path)) if (scored := scores(origin)) is not None]
    lines = [f"{path.stem}, {len(found)} origins                 median error     CRPS  coverage  below p5"]
    for name in found[0] if found else ():
        each = [scored[name] for scored in found]
        error, crps = np.median([one.error for one in each]), np.mean([one.crps for one in each])
        lines.append(
            f"  {name:36} {error:12.1f} {crps:8.1f}"
            f" {np.mean([one.inside for one in each]):9.1%} {np.mean([one.below for one in each]):9.1%}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(report(Path(name)))
