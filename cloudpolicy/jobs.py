"""Work of the `scaling` queue: plan for companies whose forecast has changed, and carry on what was begun.

A plan that the policy approves by itself is begun as soon as it is made; any other waits for people.
"""

import logging
from datetime import datetime

from django.utils import timezone

from cloudpolicy.engine.document import InvalidPolicy
from cloudpolicy.models.run import RunState
from cloudpolicy.selectors.unplanned import is_resting, last_refusal, unplanned_companies
from cloudpolicy.selectors.unscored import unscored_companies
from cloudpolicy.services.aws import CloudUnavailable
from cloudpolicy.services.planning import replan_scaling
from cloudpolicy.services.refusals import EngineBusy, NotAllowed
from cloudpolicy.services.running import work_on
from cloudpolicy.services.runs import start_apply
from cloudpolicy.services.scoring import look_at_savings
from cloudpolicy.services.trusted_again import trusted_again
from cloudpolicy.services.waiting_runs import runs_to_look_after
from cloudpolicy.wake import open_gate, open_run_gate, wake, wake_run, wake_scoring

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
    except InvalidPolicy as broken:
        # Kept as a decision, and planned again once it can be read; a job that fails would say no more.
        logger.info("scaling_not_planned: company %s: the stored policy cannot be read: %s", company_id, broken)
        return "unreadable"
    if plan is None:
        return "settled"
    if plan.calls and not plan.read_only_because:
        _apply_if_automatic(company_id, plan.plan_id, now)
    return "planned" if plan.created_at == now else "confirmed"


def work_on_run(*, run_id: int) -> str:
    """Carry a run on. Returns what happened, for the log."""
    open_run_gate(run_id=run_id)
    try:
        run = work_on(run_id=run_id)
    except EngineBusy:
        return "busy"
    if run.state == RunState.OPEN:
        logger.info("scaling_run_put_off: run %s until %s: %s", run.pk, run.resume_at, run.outcome)
    elif run.outcome:
        logger.warning("scaling_run_ended: run %s, %s: %s", run.pk, run.state, run.outcome)
    return str(run.state)


def score(*, company_id: int) -> str:
    """Compare what runs were said to save with what bills say. Returns what happened, for the log."""
    new = look_at_savings(company_id=company_id, now=timezone.now())
    if new:
        logger.info("savings_scored: company %s: %s new", company_id, new)
    return f"{new} scored"


def _apply_if_automatic(company_id: int, plan_id: int, now: datetime) -> None:
    try:
        run = start_apply(
            company_id=company_id,
            plan_id=plan_id,
            actor="capstack",
            reason="the policy approves it by itself",
            now=now,
            only_if_automatic=True,
        )
    except (NotAllowed, EngineBusy) as refused:
        logger.debug("scaling_not_automatic: company %s: %s", company_id, refused)
        return
    if run is not None and run.state == RunState.OPEN:
        wake_run(run_id=run.pk)


def sweep(*, now: datetime) -> int:
    """Wake every company whose newest forecast has led to no decision yet, every run that should go on, and a few
    times a day whoever has savings to look at. Called by the scheduler.

    Returns:
        How many companies were woken.
    """
    companies = tuple(dict.fromkeys((*unplanned_companies(now=now), *trusted_again(now=now))))
    for company_id in companies:
        wake(company_id=company_id)
    for run_id in runs_to_look_after(now=now):
        wake_run(run_id=run_id)
    for company_id in unscored_companies(now=now):
        wake_scoring(company_id=company_id)
    return len(companies)
