"""A long time of which the ledger knows nothing: not a time in which nothing was spent."""

from datetime import timedelta

import numpy as np

from forecasting.checks.data_check import Check, CheckedCompany, CheckedRows, DataCheck, burn_rows, day_of
from forecasting.fit.cash_rows import LONGEST_SILENCE_DAYS

# What lies longer ago weighs little in a forecast, whose memory halves every 150 days.
REMEMBERED_DAYS = 730


def find(company: CheckedCompany) -> tuple[DataCheck, ...]:
    """One that the forecast begins after, else the longest; one up to today is a refusal (`fit_company`)."""
    if company.fitted.silence is not None:
        last, next_one = company.fitted.silence
        if next_one <= company.rows.as_of_day - REMEMBERED_DAYS:
            return ()
        return (_doubt(last, next_one, "The forecast has learned from what came after that alone."),)
    days = np.unique(burn_rows(company.rows).day)
    gaps = np.diff(days) - 1
    gaps[days[1:] <= company.rows.as_of_day - REMEMBERED_DAYS] = 0
    if not len(gaps) or gaps.max() <= LONGEST_SILENCE_DAYS:
        return ()
    longest = int(gaps.argmax())
    frugal = "The forecast takes that for frugality, so cash may run out sooner than it says."
    return (_doubt(int(days[longest]), int(days[longest + 1]), frugal),)


def _doubt(last_day: int, next_day: int, meaning: str) -> DataCheck:
    last, next_one = day_of(last_day), day_of(next_day)
    return DataCheck(
        code="books_gap",
        sentence=(
            f"The ledger shows nothing spent or earned between {last} and {next_one},"
            f" {next_day - last_day - 1} days. {meaning}"
        ),
        advice="Import what is missing for that time.",
        since=last + timedelta(days=1),
        rows=CheckedRows(month=last),
    )


CHECK = Check(code="books_gap", find=find)
