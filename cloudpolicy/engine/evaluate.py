"""The policy at work: runway and groups in, a plan out. Nothing is called, read or stored here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from cloudpolicy.engine.action import Action
from cloudpolicy.engine.band import Band
from cloudpolicy.engine.filter import Filter, Left
from cloudpolicy.engine.group import Group, Target
from cloudpolicy.engine.history import History
from cloudpolicy.engine.plan import ApiCall, ScalingPlan, place_of
from cloudpolicy.engine.policy import Policy
from cloudpolicy.engine.quiet import quiet_now
from cloudpolicy.engine.reason import Reason
from cloudpolicy.engine.resource import Resource
from cloudpolicy.engine.resources import ResourceCalls, resource_calls
from cloudpolicy.engine.runway import NoRunway, Runway
from cloudpolicy.engine.standing import step
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
    filters: Sequence[Filter],
    resources: Sequence[Resource] = (),
) -> ScalingPlan:
    """Plan what the policy implies for these groups.

    Without a usable p5 there are no calls. With a usable p5 that may not be acted on, or not at this hour, the
    calls show what it would imply, `read_only_because` says why nothing may make them, and the ladder does not
    move.

    Args:
        groups: every group found, opted in or not; only opted-in ones are ever part of a call.
        history: memory after the last trusted decision.
        now: aware UTC.
        actions: what may be done to a group, in any order.
        filters: what may leave a group alone, in any order.
        resources: what actions on single resources have found, opted in or not.
    """
    trust = judge(runway=runway, limits=policy.limits, now=now)
    if trust.p5_days is None or isinstance(runway, NoRunway):
        run = None if isinstance(runway, NoRunway) else runway.forecast_run
        return ScalingPlan(policy.name, now, None, run, None, (), trust.against, trust.warnings)
    local_now = now.astimezone(ZoneInfo(runway.timezone))
    moved = step(
        policy=policy,
        p5_days=trust.p5_days,
        forecast_run=runway.forecast_run,
        standing=history.standing,
        now=now,
    )
    others = resource_calls(
        policy=policy, band=moved.band, history=history, resources=resources, actions=actions, now=now
    )
    found = _calls(
        policy,
        moved.band,
        history,
        groups,
        local_now,
        others,
        actions=sorted(actions, key=lambda action: action.order),
        filters=sorted(filters, key=lambda each: each.order),
    )
    against = list(trust.against)
    ends = [moved.look_again_at, *found.ends]
    quiet = quiet_now(quiet=policy.quiet, local_now=local_now)
    if quiet is not None:
        against.append(quiet[0])
        ends.append(quiet[1])
    return ScalingPlan(
        policy.name,
        now,
        trust.p5_days,
        runway.forecast_run,
        moved.band,
        tuple(found.calls),
        tuple(against),
        (*trust.warnings, *moved.waits, *found.warnings, *_nothing_to_act_on(policy, groups)),
        standing=history.standing if against else moved.standing,
        back=tuple(others.back),
        look_again_at=min((end for end in ends if end is not None), default=None),
    )


@dataclass(slots=True)
class _Found:
    calls: list[ApiCall] = field(default_factory=list)
    warnings: list[Reason] = field(default_factory=list)
    ends: list[datetime | None] = field(default_factory=list)


def _calls(
    policy: Policy,
    band: Band,
    history: History,
    groups: Sequence[Group],
    local_now: datetime,
    others: ResourceCalls,
    *,
    actions: Iterable[Action],
    filters: Sequence[Filter],
) -> _Found:
    found = _Found(warnings=list(others.warnings), ends=list(others.ends))
    targets: list[tuple[Group, Target]] = []
    for group in groups:
        if not group.opted_in and group.environment not in policy.environments:
            continue  # Somebody else's group.
        left = left_alone(group, policy, local_now, filters)
        if left is not None:
            found.warnings.append(left.reason)
            found.ends.append(left.until)
            continue
        excluded = history.exclusion_at(group.key, now=local_now)
        if excluded is not None and not excluded.only_growth:
            found.warnings.append(excluded.reason)
            found.ends.append(excluded.until)
            continue
        target = target_of(group=group, policy=policy, band=band, history=history)
        if excluded is not None and isinstance(target, Target) and _grows(group, target, policy):
            found.warnings.append(excluded.reason)
            found.ends.append(excluded.until)
            target = replace(target, capacity=group.capacity, spot=None)
        if isinstance(target, Reason):
            found.warnings.append(target)
        elif target is not None and group.opted_in:
            targets.append((group, target))
    # Growing first: if the rest fails half-way, there is too much capacity and not too little.
    targets.sort(
        key=lambda pair: (pair[1].capacity.desired <= pair[0].capacity.desired, pair[0].region, pair[0].name)
    )
    _propose(found, targets, groups, others, actions=tuple(actions), most=policy.limits.groups_per_plan)
    return found


def _propose(
    found: _Found,
    targets: Sequence[tuple[Group, Target]],
    groups: Sequence[Group],
    others: ResourceCalls,
    *,
    actions: Sequence[Action],
    most: int | None,
) -> None:
    """Let every action speak about every group and resource, until enough of them would be changed."""
    speakers = [action for action in actions if action.resources is None]
    changed: set[tuple[str, str, str]] = set()
    later: list[str] = []

    def take(calls: Iterable[ApiCall]) -> None:
        for call in calls:
            place = place_of(call)
            if place not in changed and most is not None and len(changed) == most:
                if call.group not in later[-1:]:
                    later.append(call.group)
                continue
            changed.add(place)
            found.calls.append(call)

    take(others.starting)
    for group, target in targets:
        for action in speakers:
            proposal = action.propose(group, target, groups)
            found.warnings += proposal.warnings
            take(proposal.calls)
    take(others.stopping)
    if later:
        text = f"{len(later)} more groups wait for the next plan, {later[0]} first: one plan changes {most}"
        found.warnings.append(Reason("groups_wait", text))


def _grows(group: Group, target: Target, policy: Policy) -> bool:
    """Whether a target makes a group larger that is not below its floor."""
    floor = policy.floor_of(group.environment, group.name)
    return target.capacity.desired > group.capacity.desired >= floor and group.capacity.min >= floor


def left_alone(group: Group, policy: Policy, local_now: datetime, filters: Sequence[Filter]) -> Left | None:
    """Why a group is left alone, whatever the runway."""
    for each in filters:
        left = each.judge(group, policy, local_now)
        if left is not None:
            return left
    return None


def _nothing_to_act_on(policy: Policy, groups: Sequence[Group]) -> list[Reason]:
    if any(group.opted_in for group in groups):
        return []
    tag = f"{policy.opt_in.key}={policy.opt_in.value}"
    return [Reason("no_groups", f"no auto-scaling group carries the tag {tag}")]
