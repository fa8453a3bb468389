"""How likely it is that cash outlasts a day, read off the 99 quantiles of a forecast."""

from bisect import bisect_right
from datetime import date, timedelta

from forecasting.views.projection import Projection

QUARTER_ENDS = ((3, 31), (6, 30), (9, 30), (12, 31))
SOON_DAYS = 30


def odds_of_lasting_past(projection: Projection, *, days: int) -> float | None:
    """The share of futures with cash left at the end of day `days`, to the nearest hundredth below.

    None beyond the horizon: the forecast says nothing about it.
    """
    if days > projection.horizon_days:
        return None
    within = [quantile for quantile in projection.quantile_days if quantile is not None]
    return 1 - bisect_right(within, days) / 100


def coming_quarter_end(projection: Projection) -> tuple[date, int]:
    """The first quarter's end that is at least a month away, and how many days away it is."""
    earliest = projection.as_of + timedelta(days=SOON_DAYS)
    ends = [date(year, *end) for year in (earliest.year, earliest.year + 1) for end in QUARTER_ENDS]
    day = next(end for end in ends if end >= earliest)
    return day, (day - projection.as_of).days
