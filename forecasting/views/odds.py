"""How likely it is that cash outlasts a day, read off the 99 quantiles of a forecast."""

from bisect import bisect_right

from forecasting.views.projection import Projection


def odds_of_lasting_past(projection: Projection, *, days: int) -> float | None:
    """The share of futures with cash left at the end of day `days`, to the nearest hundredth below.

    None beyond the horizon: the forecast says nothing about it.
    """
    if days > projection.horizon_days:
        return None
    within = [quantile for quantile in projection.quantile_days if quantile is not None]
    return 1 - bisect_right(within, days) / 100
