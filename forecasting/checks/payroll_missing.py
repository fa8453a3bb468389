"""A payroll that should have run has not: its feed is late, or a run was booked as something else."""

import numpy as np

from forecasting.checks.data_check import (
    Check,
    CheckedCompany,
    CheckedRows,
    DataCheck,
    day_of,
    largest_payees,
)
from forecasting.fit.role import Role

RUNS_NEEDED = 3
RUNS_READ = 6
LATE_SHARE = 1.25
GRACE_DAYS = 3
ENDED_DAYS = 120
SAME_RUN_DAYS = 2


def find(company: CheckedCompany) -> tuple[DataCheck, ...]:
    """Per currency: the usual gap between runs has passed by a quarter and three days, and no run came."""
    rows = company.rows
    payroll = (rows.role == Role.PAYROLL) & (rows.amount < 0)
    currencies = np.array([payee.currency for payee in rows.payees] or [""])
    found = []
    for currency in sorted({rows.payees[code].currency for code in np.unique(rows.payee[payroll]).tolist()}):
        mine = payroll & (currencies[rows.payee] == currency)
        days = np.unique(rows.day[mine])
        runs = days[np.diff(days, prepend=-1_000_000) > SAME_RUN_DAYS]
        silent = rows.as_of_day - int(days[-1])
        if len(runs) < RUNS_NEEDED or silent > ENDED_DAYS:
            continue
        gap = float(np.median(np.diff(runs[-RUNS_READ:])))
        if silent > LATE_SHARE * gap + GRACE_DAYS:
            last = day_of(int(days[-1]))
            sentence = f"No payroll in {currency} since {last}, though it comes every {gap:.0f} days."
            if not any(payroll.currency == currency for payroll in company.fitted.payrolls):
                sentence += " The forecast takes it for ended, so cash may run out sooner than it says."
            payees = largest_payees(rows, mine & (rows.day == days[-1]), limit=1)
            found.append(
                DataCheck(
                    code="payroll_missing",
                    sentence=sentence,
                    advice="See whether its feed is late, or a run was booked under another category.",
                    since=day_of(round(int(days[-1]) + gap)),
                    rows=CheckedRows(month=last, text=payees[0][0] if payees else ""),
                )
            )
    return tuple(found)


CHECK = Check(code="payroll_missing", find=find)
