"""The policy at work: runway and groups in, a plan out. Nothing is called, read or stored here."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from zoneinfo import ZoneInfo

from cloudpolicy.engine.action import Action
from cloudpolicy.engine.band import Band
from cloudpolicy.engine.call import ApiCall, place_of
from cloudpolicy.engine.filter import Filter, Left
from cloudpolicy.engine.fleet import Fleet, Proposals, Wanted
from cloudpolicy.engine.group import Group, Target
from cloudpolicy.engine.history import History
from cloudpolicy.engine.plan import ScalingPlan
from cloudpolicy.engine.policy import Policy
from cloudpolicy.engine.quiet import quiet_now
from cloudpolicy.engine.reason import Reason
from cloudpolicy.engine.resource import Resource
from cloudpolicy.engine.resources import ResourceCalls, resource_calls
from cloudpolicy.engine.runway import NoRunway, Runway
from cloudpolicy.engine.standing import step
from cloudpolicy.engine.target import lifted, target_of
from cloudpolicy.engine.trust import judge
from cloudpolicy.engine.undisturbed import undisturbed


def evaluate(
    *,
    policy: Policy,
    groups: Sequence[Group] | Fleet,
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
        groups: every group found, opted in or not; only opted-in ones are ever part of a call. Whoever evaluates
            more than once over the same groups gives their `Fleet`.
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
    fleet = groups if isinstance(groups, Fleet) else Fleet.of(groups)
    question = _Question(policy, moved.band, history, local_now, sorted(filters, key=lambda each: each.order))
    with undisturbed():
        found = _calls(question, fleet, others, actions=sorted(actions, key=lambda action: action.order))
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
        (*trust.warnings, *moved.waits, *found.warnings, *_nothing_to_act_on(policy, fleet)),
        standing=history.standing if against else moved.standing,
        back=tuple(others.back),
        look_again_at=min((end for end in ends if end is not None), default=None),
    )


@dataclass(slots=True)
class _Found:
    calls: list[ApiCall] = field(default_factory=list)
    warnings: list[Reason] = field(default_factory=list)
    ends: list[datetime | None] = field(default_factory=list)

    @property
    def said(self) -> int:
        return len(self.warnings) + len(self.ends)


@dataclass(frozen=True, slots=True)
class _Question:
    """Everything that decides about a group."""

    policy: Policy
    band: Band
    history: History
    local_now: datetime
    filters: Sequence[Filter]

    def decide(self, group: Group, found: _Found) -> Target | None:
        """What a group should be; None when the policy leaves it alone, or has nothing to say about it."""
        if not group.opted_in and group.environment not in self.policy.environments:
            return None  # Somebody else's group.
        left = left_alone(group, self.policy, self.local_now, self.filters)
        if left is not None:
            found.warnings.append(left.reason)
            found.ends.append(left.until)
            return None
        excluded = self.history.exclusion_at(group.key, now=self.local_now)
        if excluded is not None and not excluded.only_growth:
            found.warnings.append(excluded.reason)
            found.ends.append(excluded.until)
            return None
        target = target_of(group=group, policy=self.policy, band=self.band, history=self.history)
        floor = self.policy.floor_of(group.environment, group.name)
        if (
            excluded is not None
            and isinstance(target, Target)
            and target.capacity.desired > max(group.capacity.desired, floor)
        ):
            found.warnings.append(excluded.reason)
            found.ends.append(excluded.until)
            target = replace(target, capacity=lifted(group.capacity, floor), spot=None)
        if isinstance(target, Reason):
            found.warnings.append(target)
            return None
        return target if group.opted_in else None


def _calls(question: _Question, fleet: Fleet, others: ResourceCalls, *, actions: Sequence[Action]) -> _Found:
    found = _Found(warnings=list(others.warnings), ends=list(others.ends))
    proposals = fleet.proposals(actions)
    wanted = _decide(question, fleet, proposals, found)
    growing: list[int] = []
    shrinking: list[int] = []
    groups = fleet.groups
    for place in fleet.order:
        each = wanted[place]
        if each is not None:
            (growing if each.desired > groups[place].capacity.desired else shrinking).append(place)
    # Growing first: if the rest fails half-way, there is too much capacity and not too little.
    taken = _Taken(found.calls, question.policy.limits.groups_per_plan)
    taken.take(others.starting)
    for place in chain(growing, shrinking):
        each = wanted[place]
        assert each is not None
        calls = each.calls[place]
        if calls is None:
            calls = each.ask(place)
        if place in each.warnings:
            found.warnings += each.warnings[place]
        taken.take(calls)
    taken.take(others.stopping)
    found.warnings += taken.waiting()
    return found


def _decide(question: _Question, fleet: Fleet, proposals: Proposals, found: _Found) -> list[Wanted | None]:
    """By place, what each group should be. What is decided about one group holds for all of its kind."""
    history = question.history
    apart = fleet.told_apart(
        names=question.policy.groups, keys=chain(history.sizes, history.suspended, history.exclusions)
    )
    of_kind: dict[int, Wanted | None] = {}
    wanted: list[Wanted | None] = []
    kinds = fleet.kinds if question.policy.limits.step_percent is None else fleet.sized_kinds
    for place, kind in enumerate(kinds):
        if kind in of_kind and place not in apart:
            wanted.append(of_kind[kind])
            continue
        group, said = fleet.groups[place], found.said
        target = question.decide(group, found)
        each = proposals.for_target(target) if target else None
        wanted.append(each)
        if place not in apart and found.said == said:
            of_kind[kind] = each  # What is said of a group names it, so then the next one has to be asked, too.
    return wanted


@dataclass(slots=True)
class _Taken:
    """Calls of a plan, until enough groups and resources would be changed."""

    calls: list[ApiCall]
    most: int | None
    changed: set[tuple[str, str, str]] = field(default_factory=set)
    later: list[str] = field(default_factory=list)

    def take(self, calls: Sequence[ApiCall]) -> None:
        if self.most is None:
            self.calls += calls
            return
        for call in calls:
            place = place_of(call)
            if place not in self.changed and len(self.changed) == self.most:
                if call.group not in self.later[-1:]:
                    self.later.append(call.group)
                continue
            self.changed.add(place)
            self.calls.append(call)

    def waiting(self) -> list[Reason]:
        if not self.later:
            return []
        rest = f"{len(self.later)} more groups wait for the next plan, {self.later[0]} first"
        return [Reason("groups_wait", f"{rest}: one plan changes {self.most}")]


def left_alone(group: Group, policy: Policy, local_now: datetime, filters: Sequence[Filter]) -> Left | None:
    """Why a group is left alone, whatever the runway."""
    for each in filters:
        left = each.judge(group, policy, local_now)
        if left is not None:
            return left
    return None


def _nothing_to_act_on(policy: Policy, fleet: Fleet) -> list[Reason]:
    if fleet.has_opted_in:
        return []
    tag = f"{policy.opt_in.key}={policy.opt_in.value}"
    return [Reason("no_groups", f"no auto-scaling group carries the tag {tag}")]
