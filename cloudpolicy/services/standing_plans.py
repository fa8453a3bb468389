"""Whether a plan still stands: nothing it was made from may have moved since."""

from datetime import UTC, datetime, timedelta

from django.db.models import Exists, OuterRef, Q

from cloudpolicy.actions.registry import all_actions
from cloudpolicy.engine import plan as engine_plan
from cloudpolicy.engine.call import ApiCall, parse_call
from cloudpolicy.engine.document import InvalidPolicy
from cloudpolicy.engine.evaluate import evaluate
from cloudpolicy.engine.limits import limit_problems
from cloudpolicy.engine.policy import Policy
from cloudpolicy.filters.registry import all_filters
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.run import Phase, RunKind, RunState, ScalingRun, StepEntry
from cloudpolicy.selectors.exclusions import exclusions_now
from cloudpolicy.selectors.kill_switch import kill_switch
from cloudpolicy.selectors.memory import read_history
from cloudpolicy.services.policies import PolicyInForce, policy_in_force, unreadable_because
from cloudpolicy.services.reason_words import reasons_in_words
from cloudpolicy.services.refusals import PlanNotFound
from cloudpolicy.services.runway import runway_of
from ledger.domain.company import CompanyRef
from ledger.selectors.companies import company_ref

# Counted from the last forecast that led to the same plan.
PLAN_LIFETIME = timedelta(hours=24)
MAX_PLAN_NUMBER = 2**63 - 1


def find_plan(*, company_id: int, plan_id: int) -> ScalingPlan:
    """Raises PlanNotFound."""
    plan = None
    if 0 < plan_id <= MAX_PLAN_NUMBER:
        plan = ScalingPlan.objects.filter(company_id=company_id, pk=plan_id).select_related("policy").first()
    if plan is None:
        raise PlanNotFound(f"there is no plan {plan_id}")
    return plan


def calls_of(plan: ScalingPlan) -> tuple[ApiCall, ...]:
    return tuple(parse_call(call) for call in plan.calls)


def void_because(*, plan: ScalingPlan, now: datetime) -> str:
    """Why nothing may be done by this plan any more; '' while it stands.

    The groups are not looked at: each call is compared with its group before it is made. What a run of the plan
    has found out in that way counts until somebody has looked at the groups again. By a policy that cannot be read
    nothing may be done either.
    """
    switch = kill_switch(company_id=plan.company_id)
    if switch.on:
        return switch.because
    if plan.read_only_because:
        return "it is read-only: " + "; ".join(reason["text"] for reason in plan.read_only_because)
    try:
        policy = policy_in_force(company_id=plan.company_id, now=now)
    except InvalidPolicy as broken:
        return unreadable_because(broken)
    if policy.version_id != plan.policy_id:
        return f"the policy has changed since: {plan.policy} was in force, version {policy.version} is now"
    if now - plan.confirmed_at > PLAN_LIFETIME:
        hours = PLAN_LIFETIME // timedelta(hours=1)
        return f"it has expired: no forecast has led to it for more than {hours} hours"
    problems = limit_problems(calls=calls_of(plan), policy=policy.policy)
    if problems:
        return f"it is beyond the policy's limits: {problems[0]}"
    excluded = _excluded(plan, policy.policy, now)
    return _left_otherwise(plan) or excluded or _forecast_moved(plan, policy, now)


def _left_otherwise(plan: ScalingPlan) -> str:
    """What a run of the plan has found, or left, otherwise than planned since the groups were last read for it.

    What is left of a plan that is partly applied is another plan: a template that we have changed half-way would
    be taken for somebody else's doing.
    """
    changed = StepEntry.objects.filter(run=OuterRef("pk"), phase=Phase.CHANGED)
    run = (
        ScalingRun.objects.filter(plan=plan, kind=RunKind.APPLY, ended_at__gte=plan.confirmed_at)
        .annotate(found_changed=Exists(changed))
        .filter(Q(state=RunState.PARTLY) | Q(state=RunState.STOPPED, found_changed=True))
        .order_by("-id")
        .first()
    )
    if run is None:
        return ""
    return run.outcome if run.found_changed else "it is partly applied, and the groups were not read again since"


def _excluded(plan: ScalingPlan, policy: Policy, now: datetime) -> str:
    """What a person did since that keeps the plan's calls from being made; '' when nothing."""
    for exclusion in exclusions_now(company_id=plan.company_id, now=now):
        for call in calls_of(plan):
            if exclusion.forbids(call, floor=policy.floor_of(call.environment, call.group)):
                return exclusion.reason.text
    return ""


def implied_today(*, company: CompanyRef, policy: Policy, now: datetime) -> engine_plan.ScalingPlan:
    """What today's forecast says to a policy, without a look at any group: its band, what stands against it."""
    return evaluate(
        policy=policy,
        groups=(),
        runway=runway_of(company=company, now=now),
        history=read_history(company_id=company.id, now=now),
        now=now,
        actions=all_actions(),
        filters=all_filters(),
    )


def _forecast_moved(plan: ScalingPlan, policy: PolicyInForce, now: datetime) -> str:
    """What today's forecast says against the plan.

    Another run that says the same p5 says nothing against it, unless the policy holds plans to their own run.
    """
    implied = implied_today(company=company_ref(company_id=plan.company_id), policy=policy.policy, now=now)
    if implied.read_only_because:
        against = reasons_in_words(implied.read_only_because, zone=now.tzinfo or UTC)
        return f"nothing may act on today's forecast: {against}"
    if policy.policy.approval.exact_run and implied.forecast_run != plan.forecast_run_id:
        return (
            f"there is a newer forecast, run {implied.forecast_run}, and the policy holds plans to their own run"
        )
    if implied.p5_days is None or int(implied.p5_days) != plan.p5_days:
        was_and_is = f"was {plan.p5_days} days and is {_days(implied.p5_days)} now"
        return f"the forecast has moved since: the cautious runway {was_and_is}"
    rows = list(implied.band.row_names) if implied.band else []
    if rows != plan.rows_in_force:
        return "the ladder has moved since: other rows of the policy are in force now"
    return ""


def _days(p5_days: float | None) -> str:
    return "unknown" if p5_days is None else str(int(p5_days))
