"""An account that has gone silent: nothing for longer than it ever used to be quiet."""

from datetime import timedelta

from forecasting.checks.data_check import Check, CheckedCompany, CheckedRows, DataCheck

PATIENCE = 2.0  # times the longest usual gap
LEAST_SILENT_DAYS = 5  # a long weekend with a holiday is no silence
ENDED_DAYS = 180  # such an account was closed


def find(company: CheckedCompany) -> tuple[DataCheck, ...]:
    """Silent since the day after the last movement that came in time."""
    found = []
    for feed in company.feeds:
        silent = (company.history.as_of - feed.last_day).days
        if max(LEAST_SILENT_DAYS, PATIENCE * feed.usual_gap_days) < silent <= ENDED_DAYS:
            gap = "day" if feed.usual_gap_days <= 1 else f"{feed.usual_gap_days} days"
            found.append(
                DataCheck(
                    code="silent_feed",
                    sentence=(
                        f"Nothing from account {feed.name} for {silent} days, "
                        f"though something used to come every {gap}."
                    ),
                    advice="See whether it is still connected, or import what is missing.",
                    since=feed.last_day + timedelta(days=1),
                    rows=CheckedRows(month=feed.last_day, account=feed.name),
                )
            )
    return tuple(found)


CHECK = Check(code="silent_feed", find=find)
