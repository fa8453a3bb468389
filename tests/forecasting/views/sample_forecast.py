"""A forecast as the engine stores it, made by a small simulation, for tests of what the page says about it."""

from datetime import date, timedelta
from typing import Any

import numpy as np

AS_OF = date(2026, 11, 23)
HORIZON = 365


def stored_forecast(
    *,
    balance: float = 1_100_000.0,
    burn_per_day: float = 9_800.0,
    spread_per_day: float = 1_100.0,
    tranche: bool = True,
    horizon_days: int = HORIZON,
    currency: str = "USD",
) -> dict[str, Any]:
    """500 futures: flat burn with one uncertain level per future, payroll twice a month, perhaps one tranche."""
    rng = np.random.default_rng(7)
    futures = 500
    days = np.arange(1, horizon_days + 1)
    level = rng.normal(1.0, 0.09, size=(1, futures))
    flow = -burn_per_day * 0.35 * level + rng.normal(0, spread_per_day, size=(horizon_days, futures))
    payroll = np.array([(AS_OF + timedelta(days=int(day))).day in (1, 16) for day in days])
    flow -= (payroll * burn_per_day * 0.65 * 15.2)[:, None] * level
    arrives = np.full(futures, horizon_days + 1)
    if tranche:
        comes = rng.random(futures) < 0.72
        arrives = np.where(comes, 65 + rng.gamma(2.0, 9.0, futures).astype(int), horizon_days + 1)
        flow[np.minimum(arrives, horizon_days) - 1, np.arange(futures)] += np.where(
            arrives <= horizon_days, 520_000.0, 0.0
        )
    balances = balance + flow.cumsum(axis=0)
    out = balances <= 0
    runway = np.where(out.any(axis=0), out.argmax(axis=0) + 1, horizon_days + 1)
    bands = np.quantile(balances, [0.05, 0.25, 0.5, 0.75, 0.95], axis=1)
    quantiles = {name: quantile(runway, share) for name, share in (("p5", 0.05), ("p50", 0.5), ("p95", 0.95))}
    shares = [quantile(runway, i / 100) for i in range(1, 100)]
    p5, p50, p95 = (quantiles[name] for name in ("p5", "p50", "p95"))
    return {
        "company": "acme",
        "as_of": AS_OF.isoformat(),
        "currency": currency,
        "basis": "free",
        "balance": f"{balance:.2f}",
        "horizon_days": horizon_days,
        "paths": futures,
        "seed": 42,
        **runout(quantiles, horizon_days=horizon_days),
        "determined": p95 <= horizon_days and p95 - p5 <= p50 / 2,
        "quantile_days": [share if share <= horizon_days else None for share in shares],
        "probability_of_zero_by": {str(by): float((runway <= by).mean()) for by in (30, 60, 90, 180, 365)},
        "bands": {
            "days": days.tolist(),
            **{name: row.tolist() for name, row in zip(("p5", "p25", "p50", "p75", "p95"), bands, strict=True)},
        },
        "burn": {
            "mean_per_day": f"{burn_per_day:.2f}",
            "std_per_day": f"{spread_per_day:.2f}",
            "window_days": 90,
        },
        "drivers": [
            {
                "name": "payroll",
                "label": "Payroll and its taxes",
                "expected_per_day": f"{-burn_per_day * 0.65:.2f}",
            },
            {"name": "pool", "label": "Everyday spending", "expected_per_day": f"{-burn_per_day * 0.4:.2f}"},
            {"name": "revenue", "label": "Sales", "expected_per_day": f"{burn_per_day * 0.05:.2f}"},
            {"name": "fx", "label": "Exchange rates", "expected_per_day": "0.00"},
        ],
        "lasts_past": {"date": "2026-12-31", "probability": float((runway > 38).mean())},
        "tranches": tranche_cases(runway, arrives, horizon_days) if tranche else [],
        "next_events": next_events(),
        "marks": [mark for mark in next_events() if mark["kind"] in ("tranche", "credit")],
    }


def quantile(runway: np.ndarray, share: float) -> int:
    return int(np.quantile(runway, share, method="inverted_cdf"))


def runout(quantiles: dict[str, int], *, horizon_days: int) -> dict[str, Any]:
    found: dict[str, Any] = {"beyond_horizon": {}}
    for name, days in quantiles.items():
        beyond = days > horizon_days
        found[f"{name}_days"] = min(days, horizon_days)
        found[f"{name}_date"] = None if beyond else day_after(days)
        found["beyond_horizon"][name] = beyond
    return found


def tranche_cases(runway: np.ndarray, arrives: np.ndarray, horizon_days: int) -> list[dict[str, Any]]:
    cases = {}
    for name, those in (("received", arrives <= horizon_days), ("not_received", arrives > horizon_days)):
        some = runway[those]
        quantiles = {key: quantile(some, share) for key, share in (("p5", 0.05), ("p50", 0.5), ("p95", 0.95))}
        cases[name] = runout(quantiles, horizon_days=horizon_days)
    return [
        {
            "label": "Tranche: pilot signed",
            "date": day_after(65),
            "amount": "520000.00",
            "probability": 0.72,
            **cases,
        }
    ]


def day_after(days: int) -> str:
    return (AS_OF + timedelta(days=days)).isoformat()


def next_events() -> list[dict[str, Any]]:
    rows = (
        (4, "receivable", "Globex pays an invoice", "31000.00", 0.98),
        (7, "payroll", "Payroll", "-121000.00", 1.0),
        (11, "tax", "Payroll tax USD", "-33000.00", 1.0),
        (22, "payroll", "Payroll", "-121000.00", 1.0),
        (38, "credit", "AWS credits end", "0.00", 1.0),
        (65, "tranche", "Tranche: pilot signed", "520000.00", 0.72),
    )
    return [
        {
            "day": day,
            "date": day_after(day),
            "kind": kind,
            "label": label,
            "amount": amount,
            "probability": probability,
        }
        for day, kind, label, amount, probability in rows
    ]
