"""Work of the `scaling` queue: plan for companies whose forecast has changed. Dry run: nothing is applied."""

import logging
from datetime import datetime

from django.utils import timezone

from cloudpolicy.selectors.unplanned import is_resting, last_refusal, unplanned_companies
from cloudpolicy.services.aws import CloudUnavailable
from cloudpolicy.services.planning import replan_scaling
from cloudpolicy.wake import open_gate, wake

logger = logging.getLogger(__name__)


def replan(*, company_id: int) -> str:
    """Plan what a company's newest forecast implies. Returns what happened, for the log."""
    now = timezone.now()
    open_gate(company_id=company_id)
    if is_resting(company_id=company_id, now=now):
        return "resting"
    known = last_refusal(company_id=company_id)
    try:
        plan = replan_scaling(company_id=company_id, now=now)
    except CloudUnavailable as unavailable:
        # The reason is kept with the company, and the sweep comes back to it. An installation without a cloud
        # hears of it once and not every minute.
        level = logging.DEBUG if last_refusal(company_id=company_id) == known else logging.WARNING
        logger.log(level, "scaling_not_planned: company %s: %s", company_id, unavailable)
        return "unavailable"
    if plan is None:
        return "settled"
    return "planned" if plan.created_at == now else "confirmed"


def sweep(*, now: datetime) -> int:
    """Wake every company whose newest forecast has led to no decision yet. Called by the scheduler.

    Returns:
        How many companies were woken.
    """
    companies = unplanned_companies(now=now)
    for company_id in companies:
        wake(company_id=company_id)
    return len(companies)
