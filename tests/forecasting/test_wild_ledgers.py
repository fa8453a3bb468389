"""Ledgers that nobody would keep: whatever is in them, no part expects many times what ever moved.

A payroll whose debits and fees alternated was once read as one that grows a million times over; a payer who was
left alone after a large one had gone, as an income without bounds.
"""

from datetime import date, timedelta

import numpy as np
import pytest

from forecasting.drivers.assembly import contributions
from forecasting.drivers.contribution import Contribution, Setting
from forecasting.fit.company import fit_company
from forecasting.fit.history import CompanyHistory, MissingInputs
from forecasting.kernel.calendar import MonthSteps, month_steps
from forecasting.kernel.levels import expected_levels
from tests.forecasting.journal import history

SEEDS = 150
HORIZON_DAYS = 365
MOST_TIMES_WHAT_MOVED = 6.0
COSTS = ["payroll", "payroll_tax", "taxes", "cloud", "rent", "software", "card", "contractors", "goods", "ads"]
COSTS += ["legal", "equipment", "insurance", "other", "wages"]
INCOMES = ["sales", "invoices", "enterprise", "grant", "orders", "refund", "interest", "projects", "subscriptions"]
INCOMES += ["annual_licences"]
RHYTHMS = {
    "daily": 1.0,
    "weekly": 7.0,
    "twice a month": 15.2,
    "monthly": 30.4,
    "quarterly": 91.3,
    "at random": 0.0,
}


def wild_ledger(seed: int) -> tuple[str, date, float]:
    """Text of a ledger, its as-of date, and what moved per day in it all, or of late where that was more."""
    rng = np.random.default_rng(seed)
    days = int(rng.integers(100, 800))
    end = date(2025, 6, 30) - timedelta(days=int(rng.integers(0, 40)))
    lines: list[str] = []
    moved: list[tuple[int, float]] = []
    for _ in range(int(rng.integers(2, 14))):
        sign, category = (-1, str(rng.choice(COSTS))) if rng.random() < 0.65 else (1, str(rng.choice(INCOMES)))
        size, spread = float(rng.lognormal(8, 1.8)), float(rng.choice([0, 0.05, 0.3, 1.0, 2.0]))
        growth, rhythm = float(rng.normal(0, 0.03)), RHYTHMS[str(rng.choice(list(RHYTHMS)))]
        day = float(rng.integers(0, days)) if rng.random() < 0.3 else 0.0
        last = float(rng.integers(int(day), days + 1)) if rng.random() < 0.3 else float(days)
        typical = float(rng.integers(2, 60))
        who = int(rng.integers(8))
        while day <= last:
            amount = max(size * float(np.exp(spread * rng.normal() + growth * day / 30.4)), 0.01)
            lines.append(f"{end - timedelta(days=days - int(day))} {sign * amount:.2f} {category} Payee {who}\n")
            moved.append((int(day), amount))
            day += rhythm or max(1.0, float(rng.exponential(typical)))
            day += float(rng.integers(1, 80)) if not rhythm and rng.random() < 0.3 else 0.0
    recent = sum(amount for day, amount in moved if day > days - 120) / min(days, 120)
    return "".join(lines), end, max(sum(amount for _, amount in moved) / days, recent, 1.0)


def expected_per_day(contribution: Contribution, steps: MonthSteps) -> float:
    """Mean size of what the factors of a contribution bring and take, each at its expected level."""
    daily = np.zeros(HORIZON_DAYS)
    for factor in contribution.factors:
        daily += factor.daily * expected_levels(factor=factor, months_ahead=steps.months_ahead)[steps.step_of_day]
    return float(np.abs(daily).mean())


@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_part_expects_many_times_what_ever_moved(seed: int) -> None:
    text, as_of, moved = wild_ledger(seed)
    wild = history(text, as_of=as_of.isoformat(), cash="500000")
    parts = parts_of(wild)
    steps = month_steps(as_of_day=(as_of - date(1970, 1, 1)).days, horizon_days=HORIZON_DAYS)
    too_much = {
        name: expected
        for name, contribution in parts.items()
        if (expected := expected_per_day(contribution, steps)) > MOST_TIMES_WHAT_MOVED * moved
    }
    assert too_much == {}
    doubts = [factor for contribution in parts.values() for factor in contribution.factors]
    assert all(max(factor.lvl, factor.rw) <= 1.0 and abs(factor.g) < 0.2 for factor in doubts)


def parts_of(wild: CompanyHistory) -> dict[str, Contribution]:
    try:
        company = fit_company(wild)
    except MissingInputs:
        return {}
    setting = Setting(history=wild, company=company, basis="bank", horizon_days=HORIZON_DAYS)
    return {part.driver.name: part.contribution for part in contributions(setting)}
