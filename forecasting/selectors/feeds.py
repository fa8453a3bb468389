"""The accounts of a company as sources of data: when each last moved, and how long it usually rests."""

from datetime import date, timedelta
from itertools import groupby, pairwise
from operator import itemgetter

from forecasting.checks.data_check import Feed
from ledger.models.daily_flow import DailyFlow

LOOKED_AT_DAYS = 365
DAYS_NEEDED = 8
USUAL_SHARE = 0.9


def feeds_of(*, company_id: int, until: date) -> tuple[Feed, ...]:
    """Return the accounts with enough days of movements to have a rhythm, by name.

    Reads the daily sums: call `ledger.services.daily_flows.catch_up` first.
    """
    moved = (
        DailyFlow.objects.filter(
            company_id=company_id, day__gt=until - timedelta(days=LOOKED_AT_DAYS), day__lte=until, count__gt=0
        )
        .order_by("account__name", "day")
        .values_list("account__name", "day")
        .distinct()
    )
    found = []
    for name, rows in groupby(moved, key=itemgetter(0)):
        days = [day for _, day in rows]
        if len(days) >= DAYS_NEEDED:
            gaps = sorted((after - before).days for before, after in pairwise(days))
            usual = gaps[min(len(gaps) - 1, int(USUAL_SHARE * len(gaps)))]
            found.append(Feed(name=name, last_day=days[-1], usual_gap_days=usual))
    return tuple(found)
