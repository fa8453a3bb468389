"""A fitted company with some of its flows larger or smaller."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from forecasting.fit.cash_rows import CashRows, Payee
from forecasting.fit.company import FittedCompany
from forecasting.fit.pool import IN, FittedPool
from forecasting.fit.revenue import FittedRevenue

Chosen = Callable[[Payee], bool]
RECENT_DAYS = 365


def share_of(rows: CashRows, *, chosen: Chosen, incoming: bool) -> float:
    """The part of a year's rows in one direction that chosen payees stand for; 0.0 without rows."""
    amount = np.where((rows.amount > 0) == incoming, np.abs(rows.amount), 0.0)
    amount[rows.day <= rows.as_of_day - RECENT_DAYS] = 0.0
    total = float(amount.sum())
    if not total:
        return 0.0
    mine = np.array([chosen(payee) for payee in rows.payees], dtype=bool)
    return float(amount[mine[rows.payee]].sum()) / total


def with_streams(
    company: FittedCompany, *, chosen: Callable[[str, str, str], bool], incoming: bool | None, by: float
) -> tuple[FittedCompany, bool]:
    """Recurring payments of chosen payees times `by`, and whether there was one.

    Args:
        chosen: from category, payee and currency.
        incoming: one direction alone; None takes both.
    """
    streams = company.streams
    mine = np.array(
        [
            chosen(*payee)
            for payee in zip(
                company.stream_categories, company.stream_names, company.stream_currencies, strict=True
            )
        ],
        dtype=bool,
    )
    if incoming is not None:
        mine &= (streams.amount > 0) == incoming
    amount = np.where(mine, streams.amount * by, streams.amount)
    return replace(company, streams=replace(streams, amount=amount)), bool(mine.any())


def with_pool(company: FittedCompany, *, direction: int, by: float) -> FittedCompany:
    """One direction of the pool times `by`, its noise and its lumps too."""
    pool = company.pools[direction]
    if pool is None:
        return company
    out, into = company.pools
    scaled = _pool(pool, by)
    return replace(company, pools=(out, scaled) if direction == IN else (scaled, into))


def _pool(pool: FittedPool, by: float) -> FittedPool:
    return replace(
        pool,
        mean_per_day=pool.mean_per_day * by,
        variance_per_day=pool.variance_per_day * by**2,
        lump_sizes=pool.lump_sizes * by,
        unseen_lump=pool.unseen_lump * by,
    )


def revenue_by(income: FittedRevenue | None, by: float) -> FittedRevenue | None:
    """Income from customers times `by`."""
    if income is None:
        return None
    return replace(
        income, level_per_day=income.level_per_day * by, variance_per_day=income.variance_per_day * by**2
    )
