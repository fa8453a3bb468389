"""Burn turned negative: a month in which more came back than was spent, after months of burning.

Seldom true: a vendor's credit was never applied to its bill, or refunds of many months were booked in one.
"""

import numpy as np

from forecasting.checks.data_check import (
    Check,
    CheckedCompany,
    CheckedRows,
    DataCheck,
    amount_text,
    burn_rows,
    day_of,
    largest_payees,
)
from forecasting.fit.calendar import add_months, month_of

LOOKED_AT_MONTHS = 3
BEFORE_MONTHS = 3
NAMED = 2


def find(company: CheckedCompany) -> tuple[DataCheck, ...]:
    """Whole months of the last quarter that gained cash while each of the three before them burned it."""
    rows = burn_rows(company.rows)
    if not len(rows.day):
        return ()
    month = month_of(rows.day)
    this_month = int(month_of(np.array([rows.as_of_day]))[0])
    first = int(month_of(np.array([rows.first_day]))[0])
    months = np.arange(first, this_month)
    burn = -np.bincount(np.clip(month - first, 0, len(months)), weights=rows.amount, minlength=len(months) + 1)
    found = []
    for index in range(max(BEFORE_MONTHS, len(months) - LOOKED_AT_MONTHS), len(months)):
        before = burn[index - BEFORE_MONTHS : index]
        if burn[index] < 0 and (before > 0).all():
            found.append(_doubt(company, month=int(months[index]), gained=-float(burn[index])))
    return tuple(found)


def _doubt(company: CheckedCompany, *, month: int, gained: float) -> DataCheck:
    rows = burn_rows(company.rows)
    came = (month_of(rows.day) == month) & (rows.amount > 0)
    first = day_of(int(add_months(month=np.array([month]), day_of_month=1)[0]))
    payees = largest_payees(rows, came, limit=NAMED)
    currency = company.history.base_currency
    named = " and ".join(f"{name} ({amount_text(amount, currency)})" for name, amount in payees)
    return DataCheck(
        code="burn_flips",
        sentence=(
            f"Burn turned negative in {first:%B %Y}: {amount_text(gained, currency)} more came in than went out"
            f"{f', most of it from {named}' if named else ''}."
        ),
        advice="Look for a vendor credit that was never applied to its bill, or refunds booked together.",
        since=first,
        rows=CheckedRows(month=first, text=payees[0][0] if payees else ""),
    )


CHECK = Check(code="burn_flips", find=find)
