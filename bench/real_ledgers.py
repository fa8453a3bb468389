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


def report(path: Path) -> str:
    """One line of figures."""
    rows, refused = [], 0
    for origin in origins(outflow_of(path)):
        try:
            made = forecast(origin.history, basis="bank", horizon_days=HORIZON_DAYS, paths=PATHS)
        except MissingInputs:
            refused += 1
            continue
        days = np.array([HORIZON_DAYS + 1 if day is None else day for day in made.quantile_days])
        truth = np.array([origin.truth_days])
        crps = crps_days(quantile_days=days, truth_days=truth, horizon_days=origin.horizon_days)[0]
        p5, p50, p95 = np.minimum(days[[4, 49, 94]], origin.horizon_days + 1)
        rows.append(
            (origin.truth_days, p5, p50, p95, crps, abs(origin.truth_days - origin.six_month_average_days))
        )
    truth, p5, p50, p95, crps, average = np.array(rows, dtype=np.float64).T
    return (
        f"{path.stem:12} origins {len(rows)}, refused {refused}"
        f"  median error {np.median(np.abs(p50 - truth)):.1f} d"
        f" (six-month average {np.median(average):.1f})  CRPS {crps.mean():.1f} d ({average.mean():.1f})"
        f"  coverage {np.mean((truth >= p5) & (truth <= p95)):.1%}  below p5 {np.mean(truth < p5):.1%}"
    )


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(report(Path(name)))
