"""A vendor who costs twice what he used to: a new contract, a bill paid twice, or somebody else's bill."""

import numpy as np

from forecasting.checks.data_check import (
    Check,
    CheckedCompany,
    CheckedRows,
    DataCheck,
    amount_text,
    day_of,
    outflow_per_month,
)
from forecasting.fit.role import Role

WINDOW_DAYS = 31  # holds every monthly bill at least once
WINDOWS_BEFORE = 3
TIMES = 2.0
LEAST_SHARE = 0.01  # of a month's outflow
NAMED = 3
NO_VENDORS = (
    Role.PAYROLL,
    Role.PAYROLL_TAX,
    Role.TAX,
    Role.TRANSFER,
    Role.FUNDING,
    Role.CLOUD_CREDIT,
    Role.REFUND,
)


def find(company: CheckedCompany) -> tuple[DataCheck, ...]:
    """The last month against the median of the three before, of which each must have had a bill."""
    rows, currency = company.rows, company.history.base_currency
    vendor = (rows.amount < 0) & ~np.isin(rows.role, NO_VENDORS)
    least = LEAST_SHARE * outflow_per_month(rows)
    spent: dict[str, list[float]] = {}
    latest_day: dict[str, int] = {}
    first_day: dict[str, int] = {}
    back = (rows.as_of_day - rows.day) // WINDOW_DAYS
    for code in np.unique(rows.payee[vendor & (back == 0)]).tolist():
        name = rows.payees[code].counterparty
        mine = vendor & (rows.payee == code) & (back <= WINDOWS_BEFORE)
        windows = -np.bincount(back[mine], weights=rows.amount[mine], minlength=WINDOWS_BEFORE + 1)
        known = spent.setdefault(name, [0.0] * (WINDOWS_BEFORE + 1))
        spent[name] = [known[n] + float(windows[n]) for n in range(WINDOWS_BEFORE + 1)]
        billed = rows.day[mine & (back == 0)]
        start, latest = int(billed.min()), int(billed.max())
        first_day[name] = min(start, first_day.get(name, start))
        latest_day[name] = max(latest, latest_day.get(name, latest))
    found = []
    for name, (now, *before) in spent.items():
        usual = float(np.median(before))
        if name and min(before) > 0 and now >= TIMES * usual and now - usual >= least:
            since = day_of(first_day[name])
            found.append(
                (
                    now - usual,
                    DataCheck(
                        code="vendor_doubled",
                        sentence=(
                            f"{name} cost {amount_text(now, currency)} in the last month, "
                            f"{now / usual:.1f} times the usual {amount_text(usual, currency)}."
                        ),
                        advice="See whether it is a new contract, or a bill that was paid twice.",
                        since=since,
                        # The page shows one month: that of the newest bill, which is the news.
                        rows=CheckedRows(month=day_of(latest_day[name]), text=name),
                    ),
                )
            )
    return tuple(doubt for _, doubt in sorted(found, key=lambda entry: -entry[0])[:NAMED])


CHECK = Check(code="vendor_doubled", find=find)
