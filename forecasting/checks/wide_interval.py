"""The forecast is wide: more than 45 days between p5 and p95. The variance is real, or lumps are misclassified."""

from collections.abc import Sequence

import numpy as np

from forecasting.checks.data_check import (
    Check,
    CheckedCompany,
    CheckedRows,
    DataCheck,
    amount_text,
    day_of,
    largest_payees,
    outflow_per_month,
)
from forecasting.fit.role import Role

WIDE_DAYS = 45
LUMP_SHARE = 0.04  # of a month's outflow, as the pool's lumps
YEAR_DAYS = 365
NAMED_LUMPS, NAMED_DOUBTS = 3, 2
LUMPY = (Role.SPENDING, Role.SUBSCRIPTION, Role.OTHER, Role.RENT)


def find(company: CheckedCompany) -> tuple[DataCheck, ...]:
    """Names who the largest single payments of the year went to, and what the forecast doubts most."""
    runway = company.runway
    beyond = runway.beyond_horizon[2]
    if runway.beyond_horizon[0] or (runway.p95_days - runway.p5_days <= WIDE_DAYS and not beyond):
        return ()
    rows, currency = company.rows, company.history.base_currency
    # A bill that comes back is expected, however large.
    streams = np.array(
        [(payee.counterparty or payee.category) in company.fitted.stream_names for payee in rows.payees]
    )
    each = np.abs(rows.amount) / np.maximum(rows.count, 1)
    lump = (
        (rows.amount < 0)
        & (rows.day > rows.as_of_day - YEAR_DAYS)
        & np.isin(rows.role, LUMPY)
        & ~streams[rows.payee]
        & (each > LUMP_SHARE * outflow_per_month(rows))
    )
    width = f"more than {runway.p95_days - runway.p5_days}" if beyond else f"{runway.p95_days - runway.p5_days}"
    sentence = f"The forecast is {width} days wide between its cautious and its hopeful end."
    sentence += _doubted(company.doubts, width_days=runway.p95_days - runway.p5_days)
    payees = largest_payees(rows, lump, limit=NAMED_LUMPS)
    if not payees:
        as_of = company.history.as_of
        advice = "Dated renewals, hires and invoices in the plan make it narrower."
        return (DataCheck("wide_interval", sentence, advice, as_of, CheckedRows(month=as_of)),)
    named = ", ".join(f"{name} ({amount_text(amount, currency)})" for name, amount in payees)
    names = [rows.payees[code].counterparty or rows.payees[code].category for code in rows.payee[lump].tolist()]
    latest = max(day for day, name in zip(rows.day[lump].tolist(), names, strict=True) if name == payees[0][0])
    return (
        DataCheck(
            code="wide_interval",
            sentence=f"{sentence} Largest single payments of the year: {named}.",
            advice="See whether these are classified right: a yearly bill belongs into the plan.",
            since=company.history.as_of,
            rows=CheckedRows(month=day_of(latest), text=payees[0][0]),
        ),
    )


def _doubted(doubts: Sequence[tuple[str, int]], *, width_days: int) -> str:
    """Where the width comes from. What knowing each driver would take off need not add up to most of it."""
    named = [(label, days) for label, days in doubts[:NAMED_DOUBTS] if days > 0]
    if not named:
        return ""
    words = " and ".join(f"{label.lower()} ({days} day{'' if days == 1 else 's'})" for label, days in named)
    if 2 * sum(days for _, days in named) >= width_days:
        return f" Most of it comes from {words}."
    return f" No single doubt makes most of it; the largest would be {words}."


CHECK = Check(code="wide_interval", find=find)
