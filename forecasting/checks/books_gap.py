"""A long time of which the ledger knows nothing: the forecast takes it for one in which nothing was spent."""

from datetime import timedelta

import numpy as np

from forecasting.checks.data_check import Check, CheckedCompany, CheckedRows, DataCheck, burn_rows, day_of
from forecasting.fit.company import LONGEST_SILENCE_DAYS

# What lies longer ago weighs little in a forecast, whose memory halves every 150 days.
REMEMBERED_DAYS = 730


def find(company: CheckedCompany) -> tuple[DataCheck, ...]:
    """The longest such time; one as long up to the as-of date is no doubt but a refusal (`fit_company`)."""
    days = np.unique(burn_rows(company.rows).day)
    gaps = np.diff(days) - 1
    gaps[days[1:] <= company.rows.as_of_day - REMEMBERED_DAYS] = 0
    if not len(gaps) or gaps.max() <= LONGEST_SILENCE_DAYS:
        return ()
    longest = int(gaps.argmax())
    last, next_one = day_of(int(days[longest])), day_of(int(days[longest + 1]))
    return (
        DataCheck(
            code="books_gap",
            sentence=(
                f"The ledger shows nothing spent or earned between {last} and {next_one}, {gaps[longest]} days."
                " The forecast takes that for frugality, so cash may run out sooner than it says."
            ),
            advice="Import what is missing for that time.",
            since=last + timedelta(days=1),
            rows=CheckedRows(month=last),
        ),
    )


CHECK = Check(code="books_gap", find=find)
