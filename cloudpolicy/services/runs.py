"""Beginning to apply a plan, or to take one back. The work itself is the engine's (`running.py`)."""

from datetime import datetime

from django.db import transaction

from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.run import RunKind, RunState, ScalingRun
from cloudpolicy.selectors.kill_switch import kill_switch
from cloudpolicy.services.approving import consent_to, note_approval_by_policy
from cloudpolicy.services.early_ends import rests_until
from cloudpolicy.services.engine_lock import engine_lock
from cloudpolicy.services.exclusions import exclude_after_rollback
from cloudpolicy.services.planning_lock import lock_planning
from cloudpolicy.services.refusals import EngineBusy, NotAllowed, need_reason
from cloudpolicy.services.standing_plans import calls_of, find_plan, void_because
from cloudpolicy.services.step_journal import StepJournal


def start_apply(
    *, company_id: int, plan_id: int, actor: str, reason: str, now: datetime, only_if_automatic: bool = False
) -> ScalingRun | None:
    """Open a run that carries a plan out. A plan that is carried out, or was, gives the run that does or did.

    Args:
        only_if_automatic: nobody asks for it, so the policy must.

    Returns:
        None when the plan asks for nothing, which is done.

    Raises:
        NotAllowed: the plan no longer stands or is not approved; the message says why.
        EngineBusy: another run of the company is open.
        PlanNotFound: the company has no such plan.
        InvalidPolicy: the stored policy is broken.
    """
    with transaction.atomic():
        # With the planner's lock, so that of two who begin at once the second sees what the first has begun.
        lock_planning(company_id)
        plan = find_plan(company_id=company_id, plan_id=plan_id)
        reason = need_reason(reason)
        last = ScalingRun.objects.filter(plan=plan).order_by("-id").first()
        if last is not None and last.kind == RunKind.APPLY and last.state in (RunState.OPEN, RunState.DONE):
            return last
        if not plan.calls and not plan.read_only_because:
            return None
        void = void_because(plan=plan, now=now)
        if void:
            raise NotAllowed(f"plan {plan.pk} cannot be applied: {void}")
        consent = consent_to(plan=plan, now=now)
        if not consent.is_enough or (only_if_automatic and consent.needed):
            raise NotAllowed(f"plan {plan.pk} cannot be applied: {consent.missing or 'a person has to apply it'}")
        if only_if_automatic and rests_until(company_id=company_id, now=now) is not None:
            raise NotAllowed(f"plan {plan.pk} is not applied by itself yet: the last run ended early")
        if consent.needed == 0:
            note_approval_by_policy(plan=plan, now=now)
        return _open(plan, RunKind.APPLY, actor=actor, reason=reason, now=now, calls=plan.calls)


def start_rollback(*, company_id: int, plan_id: int, actor: str, reason: str, now: datetime) -> ScalingRun:
    """Open a run that takes back what a plan has changed. One that is under way ends first.

    What the plan has changed is left alone for a while (`services.exclusions`).

    Raises:
        NotAllowed: nothing was changed by the plan, it is taken back already, or the kill switch is on.
        EngineBusy: an engine is at work on the plan, or another run of the company is open.
        PlanNotFound: the company has no such plan.
    """
    plan = find_plan(company_id=company_id, plan_id=plan_id)
    reason = need_reason(reason)
    switch = kill_switch(company_id=company_id)
    if switch.on:
        raise NotAllowed(f"plan {plan.pk} cannot be rolled back: {switch.because}")
    begun, _ = _begun_and_applied(plan)
    if begun is not None:
        return begun
    accounts = {call.account for call in calls_of(plan)}
    with engine_lock(company_id=company_id, accounts=accounts), transaction.atomic():
        lock_planning(company_id)
        begun, applied = _begun_and_applied(plan)  # Somebody else may have begun in the meantime.
        if begun is not None:
            return begun
        if applied.state == RunState.OPEN:
            end_run(applied, RunState.PARTLY, outcome="ended to be rolled back", now=now)
        exclude_after_rollback(plan=plan, calls=calls_of(plan), actor=actor, reason=reason, now=now)
        return _open(plan, RunKind.ROLLBACK, actor=actor, reason=reason, now=now, undoes=applied)


def _begun_and_applied(plan: ScalingPlan) -> tuple[ScalingRun | None, ScalingRun]:
    """The roll-back of a plan that is open, None without one, and the run that is to be taken back.

    A plan may have been begun several times: what is taken back is the newest run that has changed something and
    still stands. One that was stopped before anything hides none that changed something before it.

    Raises:
        NotAllowed: there is nothing to take back, or it is taken back already.
    """
    runs = ScalingRun.objects.filter(plan=plan).order_by("-id")
    attempts = list(runs.filter(kind=RunKind.APPLY))
    if not attempts:
        raise NotAllowed(f"plan {plan.pk} cannot be rolled back: it was never applied")
    last = runs[0]
    if last.kind == RunKind.ROLLBACK and last.state == RunState.OPEN:
        assert last.undoes is not None
        return last, last.undoes
    changed = [run for run in attempts if StepJournal(run).changed_something]
    if not changed:
        raise NotAllowed(f"plan {plan.pk} cannot be rolled back: it has changed nothing")
    taken_back = set(runs.filter(kind=RunKind.ROLLBACK, state=RunState.DONE).values_list("undoes_id", flat=True))
    standing = [run for run in changed if run.pk not in taken_back]
    if not standing:
        raise NotAllowed(f"plan {plan.pk} cannot be rolled back: it is rolled back already")
    return None, standing[0]


def end_run(run: ScalingRun, state: RunState, *, outcome: str, now: datetime) -> None:
    """Close a run that is open; one that somebody else has closed stays as it is."""
    ScalingRun.objects.filter(pk=run.pk, state=RunState.OPEN).update(
        state=state, outcome=outcome[:500], ended_at=max(now, run.started_at), resume_at=None
    )
    run.refresh_from_db()


def _open(
    plan: ScalingPlan,
    kind: RunKind,
    *,
    actor: str,
    reason: str,
    now: datetime,
    calls: list[dict[str, object]] | None = None,
    undoes: ScalingRun | None = None,
) -> ScalingRun:
    with transaction.atomic():
        # With the planner's lock, so that two who begin at once do not both see no open run.
        lock_planning(plan.company_id)
        busy = ScalingRun.objects.filter(company_id=plan.company_id, state=RunState.OPEN).first()
        if busy is not None and (busy.plan_id, busy.kind) == (plan.pk, kind):
            return busy
        if busy is not None:
            raise EngineBusy(f"run {busy.pk} of plan {busy.plan_id} is under way")
        return ScalingRun.objects.create(
            company_id=plan.company_id,
            plan=plan,
            kind=kind,
            undoes=undoes,
            calls=calls,
            actor=actor[:255],
            reason=reason,
            started_at=now,
            resume_at=now,
        )
