"""Today's runway, as the policy is told of it."""

from contextlib import suppress
from datetime import datetime
from zoneinfo import ZoneInfo

from cloudpolicy.engine.runway import NoRunway, Runway
from forecasting.fit.history import MissingInputs
from forecasting.selectors.forecasts import latest_forecast, refusal
from forecasting.selectors.track_record import share_below_p5
from forecasting.services.in_force import forecast_in_force
from forecasting.services.lease import LeaseBusy, LeaseLost
from forecasting.services.publish import publish_forecast
from ledger.domain.company import CompanyRef


def bring_forecast_up_to_date(*, company_id: int, now: datetime) -> None:
    """Publish what the journal implies now, where that is not published yet.

    Where nothing honest can be computed, or another worker is at it, what is published stays; whether it may be
    acted on is judged by the engine.
    """
    with suppress(MissingInputs, LeaseBusy):
        try:
            publish_forecast(company_id=company_id, now=now)
        except (LeaseBusy, LeaseLost):
            # Somebody else computes; only a first forecast is worth waiting for.
            forecast_in_force(company_id=company_id, basis="free", now=now)


def runway_of(*, company: CompanyRef, now: datetime) -> Runway | NoRunway:
    """Return the forecast in force on free cash, the headline."""
    stored = latest_forecast(company_id=company.id)
    if stored is None:
        return NoRunway(refusal(company_id=company.id))
    return Runway(
        forecast_run=stored.run_id,
        p5_days=stored.forecast.get("p5_days"),
        horizon_days=stored.forecast.get("horizon_days", 0),
        # A forecast is as old as the last time it was found to be what the journal still implies.
        published_at=stored.confirmed_at,
        as_of=stored.as_of,
        today=now.astimezone(ZoneInfo(company.timezone)).date(),
        unseen_events=stored.events_behind,
        share_below_p5=share_below_p5(company_id=company.id),
    )
