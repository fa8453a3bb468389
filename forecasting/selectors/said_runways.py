"""What was said about the runway on past days."""

from dataclasses import dataclass
from datetime import UTC, datetime, time

from forecasting.models.run import ForecastRun
from forecasting.selectors.track_record import newest_backtest


@dataclass(frozen=True, slots=True)
class SaidRunway:
    """A p5 that was published on a past day, or that a back-test would have said.

    Attributes:
        at: when it was published; noon UTC of the day for one of a back-test.
        run_id: None for one of a back-test.
    """

    at: datetime
    run_id: int | None
    p5_days: int


def runways_said(*, company_id: int, since: datetime, basis: str = "free") -> tuple[SaidRunway, ...]:
    """Every kept p5 since an instant, the oldest first.

    For the time before the first published forecast the days of the newest back-test stand in; they know bank cash
    only.
    """
    runs = ForecastRun.objects.filter(company_id=company_id, basis=basis, computed_at__gte=since)
    said = tuple(
        SaidRunway(at=computed_at, run_id=run_id, p5_days=p5_days)
        for run_id, computed_at, p5_days in runs.order_by("computed_at", "id").values_list(
            "id", "computed_at", "p5_days"
        )
    )
    backtest = newest_backtest(company_id=company_id)
    if backtest is None:
        return said
    origins = backtest.origins.order_by("as_of").values_list("as_of", "p5_days")
    looked_back = (
        SaidRunway(at=datetime.combine(as_of, time(12), UTC), run_id=None, p5_days=p5_days)
        for as_of, p5_days in origins
        if p5_days is not None
    )
    until = said[0].at if said else datetime.max.replace(tzinfo=UTC)
    return (*(each for each in looked_back if since <= each.at < until), *said)
