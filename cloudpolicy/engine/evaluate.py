"""The policy at work: runway and groups in, a plan out. Nothing is called, read or stored here."""

from collections.abc import Sequence
from datetime import datetime

from cloudpolicy.engine.action import Action
from cloudpolicy.engine.band import Band, band_at
from cloudpolicy.engine.capacity import capacity_problems
from cloudpolicy.engine.group import Group, Target
from cloudpolicy.engine.history import History
from cloudpolicy.engine.plan import ApiCall, ScalingPlan
from cloudpolicy.engine.policy import Policy
from cloudpolicy.engine.reason import Reason
from cloudpolicy.engine.runway import NoRunway, Runway
from cloudpolicy.engine.target import target_of
from cloudpolicy.engine.trust import judge


def evaluate(
    *,
    policy: Policy,
    groups: Sequence[Group],
    runway: Runway | NoRunway,
    history: History,
    now: datetime,
    actions: Sequence[Action],
) -> ScalingPlan:
    """Plan what the policy implies for these groups.

    Without a usable p5 there are no calls. With a usable p5 that may not be acted on, the calls show what it would
    imply, `read_only_because` says why nothing may make them, and the ladder's memory does not move.

    Args:
        groups: every group found, opted in or not; only opted-in ones are ever part of a call.
        history: memory after the last trusted decision.
        now: aware UTC.
        actions: what may be done to a group, in any order.
    """
    trust = judge(runway=runway, limits=policy.limits, now=now)
    run = None if isinstance(runway, NoRunway) else runway.forecast_run
    if trust.p5_days is None:
        return ScalingPlan(policy.name, now, None, run, None, (), trust.against, trust.warnings)
    band = band_at(policy=policy, p5_days=trust.p5_days, rows_in_force=history.rows_in_force)
    calls, warnings = _calls(policy, band, history, groups, sorted(actions, key=lambda action: action.order))
    warnings += _nothing_to_act_on(policy, groups)
    return ScalingPlan(
        policy.name, now, trust.p5_days, run, band, tuple(calls), trust.against, (*trust.warnings, *warnings)
    )


def _calls(
    policy: Policy, band: Band, history: History, groups: Sequence[Group], actions: Sequence[Action]
) -> tuple[list[ApiCall], list[Reason]]:
    targets: list[tuple[Group, Target]] = []
    calls: list[ApiCall] = []
    warnings: list[Reason] = []
    for group in groups:
        if not group.opted_in and group.environment not in policy.environments:
            continue  # Somebody else's group.
        doubt = _doubt(group, policy)
        if doubt is not None:
            warnings.append(doubt)
            continue
        target = target_of(group=group, policy=policy, band=band, history=history)
        if isinstance(target, Reason):
            warnings.append(target)
        elif target is not None:
            targets.append((group, target))
    # Growing first: if the rest fails half-way, there is too much capacity and not too little.
    targets.sort(
        key=lambda pair: (pair[1].capacity.desired <= pair[0].capacity.desired, pair[0].region, pair[0].name)
    )
    for group, target in targets:
        for action in actions:
            proposal = action.propose(group, target, groups)
            calls += proposal.calls
            warnings += proposal.warnings
    return calls, warnings


def _doubt(group: Group, policy: Policy) -> Reason | None:
    """Why a group is left alone, whatever the runway."""
    if not group.opted_in:
        tag = f"{policy.opt_in.key}={policy.opt_in.value}"
        return Reason("not_opted_in", f"{group.name} is left alone: it does not carry the tag {tag}")
    if group.environment not in policy.environments:
        known = ", ".join(policy.environments)
        return Reason("unknown_environment", f"{group.name} is left alone: its environment is none of {known}")
    problems = capacity_problems(group.capacity)
    if problems:
        return Reason("impossible_size", f"{group.name} is left to a person: {problems[0]}")
    return None


def _nothing_to_act_on(policy: Policy, groups: Sequence[Group]) -> list[Reason]:
    if any(group.opted_in for group in groups):
        return []
    tag = f"{policy.opt_in.key}={policy.opt_in.value}"
    return [Reason("no_groups", f"no auto-scaling group carries the tag {tag}")]
