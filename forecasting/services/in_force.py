"""The forecast in force, computed at once when there is none yet."""

import time
from datetime import datetime

from forecasting.selectors.forecasts import StoredForecast, latest_forecast
from forecasting.services.lease import LeaseBusy, LeaseLost
from forecasting.services.publish import publish_forecast
from forecasting.wake import wake

# A first forecast takes half a second; whoever else computes it is done by then, or dead.
LONGEST_WAIT_SECONDS = 3.0
POLL_SECONDS = 0.1


def forecast_in_force(*, company_id: int, basis: str, now: datetime) -> StoredForecast:
    """Return what is published; without anything, publish first, needing no worker.

    Raises:
        MissingInputs: there is no honest forecast yet; the reasons name what is missing.
        LeaseBusy: another process computes the first forecast and takes unusually long.
        ValueError: `basis` is neither free nor bank.
    """
    waited_seconds = 0.0
    while (stored := latest_forecast(company_id=company_id, basis=basis)) is None:
        try:
            if publish_forecast(company_id=company_id, now=now).behind:
                wake(company_id=company_id)
        except (LeaseBusy, LeaseLost):
            if waited_seconds >= LONGEST_WAIT_SECONDS:
                raise LeaseBusy(f"the first forecast of company {company_id} is still being computed") from None
            time.sleep(POLL_SECONDS)
            waited_seconds += POLL_SECONDS
    return stored
