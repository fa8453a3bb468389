"""Drawing shocks before anybody asks: the first what-if of a process would wait for them most of a second."""

import logging
from datetime import datetime

from django.db import DatabaseError, InterfaceError

from forecasting.fit.history import MissingInputs
from forecasting.models.cursor import ForecastCursor
from forecasting.services.what_if import known_now
from ledger.selectors.companies import company_ref

logger = logging.getLogger(__name__)

# Companies share most names of shocks, so a few of them draw nearly all; what is kept is bounded by `Shocks`.
COMPANIES = 3


def warm_up(*, now: datetime) -> int:
    """Simulate the base of the companies that were forecast last; returns how many. Without any, draws nothing.

    What goes wrong is logged: the first what-if then takes the time itself.
    """
    warmed = 0
    try:
        newest = ForecastCursor.objects.filter(free_run__isnull=False).order_by("-checked_at", "company_id")
        for company_id in newest.values_list("company_id", flat=True)[:COMPANIES]:
            try:
                known_now(company=company_ref(company_id=company_id), basis="free", now=now).case(())
            except MissingInputs as missing:
                logger.info("not_warmed_up: company %s: %s", company_id, missing)
            else:
                warmed += 1
    except (DatabaseError, InterfaceError) as error:
        logger.warning("not_warmed_up: %s", error)
    return warmed
