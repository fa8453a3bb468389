"""Whether a run that should go on has anybody who carries it on."""

from datetime import datetime, timedelta

from cloudpolicy.models.run import RunState, ScalingRun
from cloudpolicy.selectors.runs import RunView, runs_to_resume
from cloudpolicy.services.engine_lock import engine_is_at_work
from cloudpolicy.services.standing_plans import calls_of, find_plan

# Woken at once, or found by the sweep every ten seconds; a lost wake shuts its gate for half a minute.
WORKER_COMES_WITHIN = timedelta(seconds=30)


def waits_for_worker(*, company_id: int, run: RunView, now: datetime) -> bool:
    """Whether an open run should have gone on by now, and no engine is at work on its cloud accounts."""
    if not run.is_open or run.resume_at is None or now - run.resume_at < WORKER_COMES_WITHIN:
        return False
    plan = find_plan(company_id=company_id, plan_id=run.plan_id)
    return not engine_is_at_work(company_id=company_id, accounts={call.account for call in calls_of(plan)})


def runs_to_look_after(*, now: datetime) -> tuple[int, ...]:
    """Numbers of the open runs, of all companies, that should go on: those due, and those whose engine died.

    The lock of a dead engine is gone with its session, often long before the time by which it had to write again.
    One that was put off says why, and waits for its time.
    """
    due = runs_to_resume(now=now)
    at_work = ScalingRun.objects.filter(state=RunState.OPEN, outcome="", resume_at__gt=now).select_related("plan")
    left = (
        run.pk
        for run in at_work.order_by("pk")
        if not engine_is_at_work(company_id=run.company_id, accounts={call.account for call in calls_of(run.plan)})
    )
    return (*due, *left)
